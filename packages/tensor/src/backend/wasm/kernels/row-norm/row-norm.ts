import type { NdArray } from '../../../../core/ndarray.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { type F64, f64, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { type Address, NOWHERE } from '../../runtime/address.ts';
import { type Frame, inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { COLLECTED_VECTORS } from '../lanes/long-sum.ts';
import { CHUNK, fill } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';
import { fillRow } from '../loops/rows.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import { forElements, sumsOverRow } from './each-row.ts';

/**
 * Rows [rows, length] that are normalized each by itself. A part is some of them; what is kept for the
 * gradient is [rows, 2]: the mean of each, and 1 / √(variance + ε).
 */

/** What a normalization of rows is told beside its arrays. */
export interface RowNormOptions {
  /** Elements of a row. */
  readonly length: number;
  readonly epsilon: number;
  /** Whether the mean is taken out; if not, the variance is the mean square. */
  readonly isCentred: boolean;
}

const ROWS = { rows: 'i32', rowsOfPart: 'i32', length: 'i32', isCentred: 'flag' } as const;

function rowsOf(x: NdArray, { length, isCentred }: RowNormOptions) {
  const rows = x.size / length;
  // Gradients of parameters collect the rows of a part in float32.
  const rowsOfPart = Math.min(COLLECTED_VECTORS, Math.max(1, Math.floor(CHUNK / length)));
  return { parts: Math.ceil(rows / rowsOfPart), rows: { rows, rowsOfPart, length, isCentred } };
}

/** The mean of what was summed over a row. */
const share = (sum: F64, length: I32): F64 => sum.dividedBy(length.toF64());

function defineForward(name: string, hasParameters: boolean) {
  const fields = {
    x: 'address',
    weight: 'address',
    bias: 'address',
    y: 'address',
    statistics: 'address',
    epsilon: 'f32',
    rows: ROWS,
  } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    const { rows, rowsOfPart, length, isCentred } = p.rows;
    const { first, end } = partRange(f, index, rowsOfPart, rows);
    const mean = f.f32();
    const inverse = f.f32();
    f.for(first, end, 1, (row) => {
      const start = f.i32(row.times(length).times(4));
      const x = f.i32(p.x.plus(start));
      mean.set(0);
      f.if(isCentred, () => {
        const [sum] = sumsOverRow(f, length, [x], [({ load }) => load(0)]);
        mean.set(share(sum, length).toF32());
      });
      const means = f.f32x4(splat(mean));
      const [squares] = sumsOverRow(
        f,
        length,
        [x],
        [
          ({ load, local }) => {
            const centred = local(load(0).minus(means));
            return centred.times(centred);
          },
        ],
      );
      const variance = share(squares, length).plus(p.epsilon.toF64());
      inverse.set(f64(1).dividedBy(variance.toF32().sqrt().toF64()).toF32());
      const statistics = f.i32(p.statistics.plus(row.times(8)));
      f.store(statistics, mean);
      f.store(statistics, inverse, 4);
      const inverses = f.f32x4(splat(inverse));
      const parameters = hasParameters ? [p.weight, p.bias] : [];
      forElements(f, length, [x, p.y.plus(start), ...parameters], ({ load, local, store }) => {
        const y = local(load(0).minus(means).times(inverses));
        if (hasParameters) y.set(y.times(load(2)).plus(load(3)));
        store(1, y);
      });
    });
  });
}

const plainTask = defineForward('rowNorm', false);
const scaledTask = defineForward('rowNormScaled', true);

/**
 * gx = (w g − mean(w g) − x̂ · mean(w g x̂)) / √(variance + ε); with parameters also the sums of g x̂ and
 * of g over the rows of a part.
 */
function defineBackward(name: string, hasParameters: boolean) {
  const fields = {
    x: 'address',
    gradOut: 'address',
    weight: 'address',
    statistics: 'address',
    gradIn: 'address',
    weightGrads: 'address',
    biasGrads: 'address',
    rows: ROWS,
  } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    const { rows, rowsOfPart, length, isCentred } = p.rows;
    const { first, end } = partRange(f, index, rowsOfPart, rows);
    const partial = f.i32(index.times(length).times(4));
    const grads = hasParameters
      ? [f.i32(p.weightGrads.plus(partial)), f.i32(p.biasGrads.plus(partial))]
      : [];
    for (const target of grads) f.call(fillRow, { target, count: length, value: 0 });
    const mean = f.f32();
    f.for(first, end, 1, (row) => {
      const start = f.i32(row.times(length).times(4));
      const [x, g] = [f.i32(p.x.plus(start)), f.i32(p.gradOut.plus(start))];
      const statistics = f.i32(p.statistics.plus(row.times(8)));
      const means = f.f32x4(splat(loadF32(statistics)));
      const inverses = f.f32x4(splat(loadF32(statistics, 4)));
      const inputs = hasParameters ? [x, g, p.weight] : [x, g];
      const sums = rowSums(f, length, inputs, { means, inverses, hasParameters });
      mean.set(0);
      f.if(isCentred, () => mean.set(share(sums[0], length).toF32()));
      const constants = f.f32x4(splat(mean));
      const slopes = f.f32x4(splat(share(sums[1], length).toF32()));
      const targets = [p.gradIn.plus(start), ...grads];
      forElements(f, length, [...inputs, ...targets], ({ load, local, store }) => {
        const normalized = local(load(0).minus(means).times(inverses));
        const out = inputs.length;
        if (hasParameters) {
          store(out + 1, local(load(out + 1).plus(load(1).times(normalized))));
          store(out + 2, local(load(out + 2).plus(load(1))));
        }
        const slope = hasParameters ? load(1).times(load(2)) : load(1);
        const centred = slope.minus(constants.plus(normalized.times(slopes)));
        store(out, local(centred.times(inverses)));
      });
    });
  });
}

/** Σ w g and Σ w g x̂ over a row. */
function rowSums(
  f: FunctionBuilder,
  length: I32,
  inputs: readonly I32[],
  norm: { means: Floats; inverses: Floats; hasParameters: boolean },
) {
  const slope = (load: (row: number) => Floats): Floats =>
    norm.hasParameters ? load(1).times(load(2)) : load(1);
  return sumsOverRow(f, length, inputs, [
    ({ load }) => slope(load),
    ({ load }) => slope(load).times(load(0).minus(norm.means).times(norm.inverses)),
  ]);
}

const plainGradTask = defineBackward('rowNormGrad', false);
const scaledGradTask = defineBackward('rowNormScaledGrad', true);

/** A parameter of the length of a row, or one number in the place of each. */
function parameter(
  frame: Frame,
  value: NdArray | null,
  length: number,
  otherwise: number,
): Address {
  if (value !== null) return frame.input(value);
  const address = frame.temporary(length * 4);
  fill(frame, address, length, otherwise);
  return address;
}

export function rowNorm(
  x: NdArray,
  weight: NdArray | null,
  bias: NdArray | null,
  options: RowNormOptions,
): { y: NdArray; statistics: NdArray } {
  return inFrame((frame) => {
    const y = frame.output(x.shape);
    const { parts, rows } = rowsOf(x, options);
    const statistics = frame.output([rows.rows, 2]);
    const hasParameters = weight !== null || bias !== null;
    frame.run(hasParameters ? scaledTask : plainTask, parts, {
      x: frame.input(x),
      weight: hasParameters ? parameter(frame, weight, options.length, 1) : NOWHERE,
      bias: hasParameters ? parameter(frame, bias, options.length, 0) : NOWHERE,
      y: y.address,
      statistics: statistics.address,
      epsilon: options.epsilon,
      rows,
    });
    return { y: y.array, statistics: statistics.array };
  });
}

export interface RowNormGradients {
  readonly x: NdArray;
  /** [length], as the one of the bias; null unless there are parameters. */
  readonly weight: NdArray | null;
  readonly bias: NdArray | null;
}

/** @param hasParameters whether gradients of weight and bias are wanted, or there is a weight */
export function rowNormGrad(
  x: NdArray,
  weight: NdArray | null,
  gradOut: NdArray,
  statistics: NdArray,
  options: RowNormOptions & { readonly hasParameters: boolean },
): RowNormGradients {
  return inFrame((frame) => {
    const { hasParameters, length } = options;
    const gradIn = frame.output(x.shape);
    const { parts, rows } = rowsOf(x, options);
    const partials = (): Address => (hasParameters ? frame.temporary(parts * length * 4) : NOWHERE);
    const [weightGrads, biasGrads] = [partials(), partials()];
    frame.run(hasParameters ? scaledGradTask : plainGradTask, parts, {
      x: frame.input(x),
      gradOut: frame.input(gradOut),
      weight: hasParameters ? parameter(frame, weight, length, 1) : NOWHERE,
      statistics: frame.input(statistics),
      gradIn: gradIn.address,
      weightGrads,
      biasGrads,
      rows,
    });
    const total = (address: Address): NdArray | null => {
      if (!hasParameters) return null;
      const sum = frame.output([length]);
      const axis = { outer: 1, length: parts, inner: length };
      sumAxis(frame, { address, areSums: false }, axis, { address: sum.address, divisor: 1 });
      return sum.array;
    };
    return { x: gradIn.array, weight: total(weightGrads), bias: total(biasGrads) };
  });
}
