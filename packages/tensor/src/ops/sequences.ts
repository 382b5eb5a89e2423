import type { Tensor } from '../autograd/tensor.ts';
import {
  expectBoolean,
  expectInteger,
  expectIntegerList,
  expectThat,
  readOptions,
} from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { conv2dOp } from './conv2d.ts';
import { asTensor, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { largestOfWindows, meanOfWindows } from './pool2d.ts';
import { expectElements, max, mean } from './reduce.ts';
import { reshape } from './reshape.ts';
import { MOST, resolveWindow } from './window-options.ts';

/** Sequences are images of height 1, on which the operations of images run. */

/** Elements on both sides of a sequence, or `[before, after]`, or a rule. */
export type Padding1d = number | readonly [number, number] | 'same' | 'same-lower' | 'valid';

/** How the window of a pooling moves over the sequence. */
export interface Pool1dOptions {
  /** Elements in the window. */
  readonly kernelSize: number;
  /** Elements between windows; the kernel size by default. */
  readonly stride?: number;
  /** `number`, `[before, after]`, `'same'`, `'same-lower'` or `'valid'`; 0 by default. */
  readonly padding?: Padding1d;
  /** Elements between the elements of a window; 1 by default. */
  readonly dilation?: number;
  /** Round the output length up; down by default. */
  readonly ceilMode?: boolean;
}

/** How the window of `avgPool1d` moves, and what its mean is of. */
export interface AvgPool1dOptions extends Pool1dOptions {
  /** Whether the mean counts padding, as zeros; true by default. */
  readonly countIncludePad?: boolean;
}

/** How the kernel of `conv1d` moves over the sequence. */
export interface Conv1dOptions {
  /** Elements between windows; 1 by default. */
  readonly stride?: number;
  /** `number`, `[before, after]`, `'same'`, `'same-lower'` or `'valid'`; 0 by default. */
  readonly padding?: Padding1d;
  /** Elements between kernel elements; 1 by default. */
  readonly dilation?: number;
  /** Groups of channels that do not mix; must divide C and O; 1 by default. */
  readonly groups?: number;
}

/** The padding of an image of height 1. */
function paddingOf(op: string, padding: Padding1d) {
  if (padding === 'same' || padding === 'same-lower' || padding === 'valid') return padding;
  const isPair = Array.isArray(padding) && padding.length === 2;
  const rule = "a number, [before, after], 'same', 'same-lower' or 'valid'";
  expectThat(isPair || typeof padding === 'number', op, 'padding', rule, padding);
  const [before, after] = typeof padding === 'number' ? [padding, padding] : padding;
  expectIntegerList(op, 'padding', [before, after], 0);
  expectThat(before <= MOST && after <= MOST, op, 'padding', `at most ${MOST}`, padding);
  return [0, 0, before, after] as const;
}

/** A number of the options along the width, which counts 1 along the height. */
export function along(op: string, name: string, value: number): readonly [number, number] {
  expectInteger(op, name, value, 1);
  expectThat(value <= MOST, op, name, `at most ${MOST}`, value);
  return [1, value];
}

export function sequences(op: string, x: TensorLike): Tensor {
  const input = asTensor(op, 'x', x);
  expectRank(op, 'input', input, 'N, C, L');
  return input;
}

export function floatSequences(op: string, x: TensorLike): Tensor {
  const input = sequences(op, x);
  expectSameFloating(op, { input });
  return input;
}

/** `[A, B, L]` → `[A, B, 1, L]` */
export const asImages = (x: Tensor): Tensor => reshape(x, [x.shape[0], x.shape[1], 1, x.shape[2]]);
/** `[A, B, 1, L]` → `[A, B, L]` */
export const asSequences = (x: Tensor): Tensor => reshape(x, [x.shape[0], x.shape[1], x.shape[3]]);

/** Throws unless a window of `span` elements fits. */
export function expectFits(op: string, x: Tensor, span: number, padding: Padding1d): void {
  const extra = typeof padding === 'number' ? 2 * padding : 0;
  const room = Array.isArray(padding) ? padding[0] + padding[1] : extra;
  const isFitted = padding === 'same' || padding === 'same-lower';
  if (x.shape[2] > 0 && (isFitted || x.shape[2] + room >= span)) return;
  throw shapeError(
    op,
    `a window of ${span} does not fit into a sequence of ${x.shape[2]} with padding ${room}`,
    { input: { shape: x.shape, layout: 'N, C, L' } },
  );
}

const POOL = ['kernelSize', 'stride', 'padding', 'dilation', 'ceilMode'] as const;

/**
 * The options of `maxPool1d` for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every sequence
 */
export function readPool1d(op: string, options: Pool1dOptions): Required<Pool1dOptions> {
  const {
    kernelSize,
    stride = kernelSize,
    padding = 0,
    dilation = 1,
    ceilMode = false,
  } = readOptions(op, options, POOL);
  along(op, 'kernelSize', kernelSize);
  expectSteps1d(op, { stride, padding, dilation });
  expectBoolean(op, 'ceilMode', ceilMode);
  return { kernelSize, stride, padding, dilation, ceilMode };
}

/**
 * The options of `avgPool1d` for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every sequence
 */
export function readAvgPool1d(op: string, options: AvgPool1dOptions): Required<AvgPool1dOptions> {
  const known = [...POOL, 'countIncludePad'] as const;
  const { countIncludePad = true, ...rest } = readOptions(op, options, known);
  expectBoolean(op, 'countIncludePad', countIncludePad);
  return { ...readPool1d(op, rest), countIncludePad };
}

/** Throws a `ValueError` for steps of windows that are wrong for every sequence. */
export function expectSteps1d(
  op: string,
  { stride, padding, dilation }: Required<Pick<Conv1dOptions, 'stride' | 'padding' | 'dilation'>>,
): void {
  along(op, 'stride', stride);
  paddingOf(op, padding);
  along(op, 'dilation', dilation);
}

function pool(
  op: string,
  input: Tensor,
  { kernelSize, stride, padding, dilation, ...rest }: Required<Pool1dOptions>,
  run: typeof meanOfWindows,
): Tensor {
  const options = {
    kernelSize: along(op, 'kernelSize', kernelSize),
    stride: along(op, 'stride', stride),
    padding: paddingOf(op, padding),
    dilation: along(op, 'dilation', dilation),
    ...rest,
  };
  expectFits(op, input, dilation * (kernelSize - 1) + 1, padding);
  return asSequences(run(op, asImages(input), options));
}

/**
 * Largest element of each window of a sequence; see `maxPool2d`.
 *
 * @param x `[N, C, L]` of any dtype
 * @returns `[N, C, L']` with L' = ⌊(L + before + after − d·(k − 1) − 1) / s⌋ + 1
 * @throws ShapeError if the window does not fit; ValueError for options out of range
 * @see torch.nn.MaxPool1d
 */
export function maxPool1d(x: TensorLike, options: Pool1dOptions): Tensor {
  const input = sequences('maxPool1d', x);
  return pool('maxPool1d', input, readPool1d('maxPool1d', options), largestOfWindows);
}

/**
 * Mean of each window of a sequence; see `avgPool2d`.
 *
 * @param x `[N, C, L]`
 * @returns `[N, C, L']`, sized as by `maxPool1d`
 * @throws ShapeError if the window does not fit; ValueError for options out of range
 * @see torch.nn.AvgPool1d
 */
export function avgPool1d(x: TensorLike, options: AvgPool1dOptions): Tensor {
  const input = floatSequences('avgPool1d', x);
  return pool('avgPool1d', input, readAvgPool1d('avgPool1d', options), meanOfWindows);
}

/**
 * The mean of each sequence: y[n, c] = (1 / L) · Σ x[n, c, l].
 *
 * @param x `[N, C, L]`
 * @returns `[N, C]`
 * @throws ShapeError unless `x` has 3 axes
 * @see onnx GlobalAveragePool
 */
export function globalAvgPool1d(x: TensorLike): Tensor {
  return mean(floatSequences('globalAvgPool1d', x), 2);
}

/**
 * The largest element of each sequence: y[n, c] = max x[n, c, l].
 *
 * @param x `[N, C, L]`
 * @returns `[N, C]`
 * @throws ShapeError unless `x` has 3 axes and L ≥ 1
 * @see onnx GlobalMaxPool
 */
export function globalMaxPool1d(x: TensorLike): Tensor {
  const input = sequences('globalMaxPool1d', x);
  expectElements('globalMaxPool1d', input, [2]);
  return max(input, 2);
}

/**
 * Convolution of sequences (the kernel is not flipped):
 *
 * y[n, o, l] = bias[o] + Σ_{i, p} x[n, i, l·s − before + p·d] · weight[o, i, p]
 *
 * @param x `[N, C, L]`
 * @param weight `[O, C/groups, k]`
 * @param bias `[O]` or null
 * @returns `[N, O, L']` with L' = ⌊(L + before + after − d·(k − 1) − 1) / s⌋ + 1
 * @throws ShapeError if channels do not match or the kernel does not fit
 * @throws ValueError for options out of range; DTypeError unless all are float32 or all float64
 * @see torch.nn.functional.conv1d
 */
export function conv1d(
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null = null,
  options: Conv1dOptions = {},
): Tensor {
  const op = 'conv1d';
  const input = floatSequences(op, x);
  const kernel = asTensor(op, 'weight', weight, input.dtype);
  const shift = bias === null ? null : asTensor(op, 'bias', bias, input.dtype);
  const known = ['stride', 'padding', 'dilation', 'groups'] as const;
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = readOptions(op, options, known);
  expectRank(op, 'weight', kernel, 'O, I, k');
  expectSameFloating(op, { input, weight: kernel, bias: shift });
  expectInteger(op, 'groups', groups, 1);
  const [O, I, k] = kernel.shape;
  const operands = {
    input: { shape: input.shape, layout: 'N, C, L' },
    weight: { shape: kernel.shape, layout: 'O, I, k' },
  };
  if (input.shape[1] !== I * groups || O % groups !== 0) {
    const rule = `input has ${input.shape[1]} channels, weight expects ${I * groups}`;
    throw shapeError(op, `${rule} in groups (=${groups}) that divide ${O} outputs`, operands);
  }
  if (shift !== null && (shift.rank !== 1 || shift.shape[0] !== O)) {
    const shapes = { ...operands, bias: { shape: shift.shape, layout: 'O' } };
    throw shapeError(op, `bias must have one element for each of ${O} output channels`, shapes);
  }
  const steps = {
    kernelSize: [1, k] as const,
    stride: along(op, 'stride', stride),
    padding: paddingOf(op, padding),
    dilation: along(op, 'dilation', dilation),
    ceilMode: false,
  };
  expectFits(op, input, dilation * (k - 1) + 1, padding);
  const images = asImages(input);
  const windows = [{ ...resolveWindow(op, images.shape, steps), groups }];
  return asSequences(conv2dOp([images, asImages(kernel), shift], { windows, activation: 'none' }));
}
