import type { Activation } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { type Address, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import type { FieldValues } from '../../runtime/task.ts';
import { beforeRelu } from '../lanes/before-relu.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import { channelRows, writeChannelRows } from './channel-rows.ts';
import type { NORM } from './channels.ts';
import {
  defineColumns,
  defineElements,
  type Operand,
  type Read,
  type Rows,
  runColumns,
  runElements,
} from './row-tasks.ts';

/**
 * Batch normalization where planes have few pixels: what is done once for a plane would take longer
 * than its pixels. With images as rows, vectors go across channels.
 */

/** Up to so many pixels rows are faster than planes. */
export const MOST_PIXELS = 64;

/** Sums of (x − mean)². */
const squaresTask = defineColumns(
  'squaredDeviationsOfRows',
  ['x', 'mean'],
  (f, read) => {
    const difference = read('x').minus(read('mean'));
    const deviation = f.floatsLike(difference, difference);
    return [deviation.times(deviation)];
  },
  1,
);

/** (x − mean) · scale + shift, or max(0, ·) of it. */
const defineNormalize = (name: string, activation: Activation) =>
  defineElements(name, ['x', 'mean', 'scale', 'shift'], (f, read) => {
    const normalized = f.multiplyAdd(read('x').minus(read('mean')), read('scale'), read('shift'));
    return activation === 'relu' ? normalized.positivePart() : normalized;
  });

const normalizeTasks = {
  none: defineNormalize('batchNormRows', 'none'),
  relu: defineNormalize('batchNormReluRows', 'relu'),
} as const;

/** What the gradient is computed from: x − mean, and the gradient before the activation. */
function gradientOf(f: FunctionBuilder, read: Read, activation: Activation) {
  const difference = read('x').minus(read('mean'));
  const centred = f.floatsLike(difference, difference);
  const gradOut = read('gradOut');
  const normalized = (): Floats => f.multiplyAdd(centred, read('scale'), read('shift'));
  const g = activation === 'relu' ? beforeRelu(gradOut, normalized()) : gradOut;
  return { centred, g: f.floatsLike(g, g) };
}

const OPERANDS: Readonly<Record<Activation, readonly Operand[]>> = {
  none: ['x', 'gradOut', 'mean'],
  relu: ['x', 'gradOut', 'mean', 'scale', 'shift'],
};

/** Sums of g and of g · x̂; see `gradients.ts`. */
const defineGradSums = (name: string, activation: Activation) =>
  defineColumns(
    name,
    [...OPERANDS[activation], 'inverse'],
    (f, read) => {
      const { centred, g } = gradientOf(f, read, activation);
      return [g, centred.times(read('inverse')).times(g)];
    },
    2,
  );

/** scale · g − level − slope · (x − mean), without the last two where statistics do not depend on x. */
function defineGrad(name: string, activation: Activation, isFrozen: boolean) {
  const operands = new Set<Operand>([...OPERANDS[activation], 'scale']);
  if (!isFrozen) operands.add('level').add('slope');
  return defineElements(name, [...operands], (f, read) => {
    const { centred, g } = gradientOf(f, read, activation);
    const throughX = g.times(read('scale'));
    if (isFrozen) return throughX;
    return throughX.minus(read('level')).minus(centred.times(read('slope')));
  });
}

const gradTasks = {
  none: {
    sums: defineGradSums('batchNormGradSumsOfRows', 'none'),
    grad: defineGrad('batchNormGradRows', 'none', false),
    frozen: defineGrad('batchNormFrozenGradRows', 'none', true),
  },
  relu: {
    sums: defineGradSums('batchNormReluGradSumsOfRows', 'relu'),
    grad: defineGrad('batchNormReluGradRows', 'relu', false),
    frozen: defineGrad('batchNormReluFrozenGradRows', 'relu', true),
  },
} as const;

/** mean[c] and variance[c] ← */
export function momentsOfRows(
  frame: Frame,
  rows: Rows,
  x: Address,
  { mean, variance }: { mean: Address; variance: Address },
): void {
  const { images, channels, area } = rows;
  const count = images * area;
  const length = channels * area;
  const sums = frame.temporary(length * 8);
  const columns = { outer: 1, length: images, inner: length };
  sumAxis(frame, { address: x, areSums: false }, columns, { address: sums, divisor: null });
  const pixels = { outer: channels, length: area, inner: 1 };
  sumAxis(frame, { address: sums, areSums: true }, pixels, { address: mean, divisor: count });
  // Only the means of the table are read.
  const norm = { mean, variance: mean, weight: mean, bias: NOWHERE, epsilon: 0 };
  const table = channelRows(frame, rows, norm);
  runColumns(frame, squaresTask, rows, { x, gradOut: NOWHERE, table }, [variance], count);
}

/** target ← x normalized. */
export function normalizeRows(
  frame: Frame,
  rows: Rows,
  x: Address,
  norm: FieldValues<typeof NORM>,
  activation: Activation,
  target: Address,
): void {
  const table = channelRows(frame, rows, norm);
  runElements(frame, normalizeTasks[activation], rows, { x, gradOut: NOWHERE, table }, target);
}

/** The gradients by x, weight and bias ←, where `norm.bias` is nowhere without an activation. */
export function gradientsOfRows(
  frame: Frame,
  rows: Rows,
  sources: { readonly x: Address; readonly gradOut: Address },
  norm: FieldValues<typeof NORM>,
  { share, ...targets }: { x: Address; weight: Address; bias: Address; share: number },
): void {
  const tasks = gradTasks[norm.bias === NOWHERE ? 'none' : 'relu'];
  const table = channelRows(frame, rows, norm);
  const operands = { ...sources, table };
  const totals = { sums: targets.bias, dots: targets.weight, share };
  runColumns(frame, tasks.sums, rows, operands, [totals.sums, totals.dots], 1);
  const isFrozen = share === 0;
  if (!isFrozen) writeChannelRows(frame, rows, norm, totals, table);
  runElements(frame, isFrozen ? tasks.frozen : tasks.grad, rows, operands, targets.x);
}
