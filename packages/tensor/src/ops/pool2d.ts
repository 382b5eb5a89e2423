import { defineOp } from '../autograd/define-op.ts';
import { Tensor } from '../autograd/tensor.ts';
import type { Kernels } from '../backend/contract.ts';
import { averagePooling, maxPooling } from '../backend/kernels.ts';
import { expectBoolean, readOptions } from '../core/checks.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import {
  asPair,
  type Padding,
  type PaddingOption,
  type Pair,
  resolvePadding,
  spanOf,
  type Window2d,
} from '../core/window.ts';
import { div } from './arithmetic.ts';
import { ones } from './create.ts';
import { asTensor, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { max, mean } from './reduce.ts';
import { expectWindow, resolveWindow } from './window-options.ts';

/** How the window of a pooling moves over the image. */
export interface Pool2dOptions {
  /** Size of the window, `number` or `[h, w]`. */
  readonly kernelSize: Pair;
  /** Pixels between windows, `number` or `[h, w]`; the kernel size by default. */
  readonly stride?: Pair;
  /** `number`, `[h, w]`, `[top, bottom, left, right]`, `'same'`, `'same-lower'` or `'valid'`; 0 by default. */
  readonly padding?: PaddingOption;
  /** Pixels between the elements of a window, `number` or `[h, w]`; 1 by default. */
  readonly dilation?: Pair;
  /** Round the output size up, as Caffe and torchvision's SqueezeNet do; down by default. */
  readonly ceilMode?: boolean;
}

/** How the window of `avgPool2d` moves, and what its mean is of. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether the mean counts padding, as zeros; true by default. */
  readonly countIncludePad?: boolean;
}

/** Takes what the kernel gave for its input, because callers want the indices too. */
const maxPool2dOp = defineOp<
  [NdArray],
  ReturnType<Kernels['maxPool2d']> & { readonly window: Window2d },
  { indices: NdArray; inputShape: Shape }
>('maxPool2d', {
  forward: ([{ shape }], { y, indices }) => ({ y, saved: { indices, inputShape: shape } }),
  backward: (gradOut, { indices, inputShape }) => [
    maxPooling().maxPool2dGrad(gradOut, indices, inputShape),
  ],
});

/** The largest of each window, with its position in the plane. */
export function maxPool(x: Tensor, window: Window2d): { values: Tensor; indices: NdArray } {
  const found = maxPooling().maxPool2d(x.array, window);
  return { values: maxPool2dOp([x], { ...found, window }), indices: found.indices };
}

export const avgPool2dOp = /* @__PURE__ */ defineOp<
  [NdArray],
  { window: Window2d },
  { window: Window2d; inputShape: Shape }
>('avgPool2d', {
  forward: ([x], { window }) => ({
    y: averagePooling().avgPool2d(x, window),
    saved: { window, inputShape: x.shape },
  }),
  backward: (gradOut, { window, inputShape }) => [
    averagePooling().avgPool2dGrad(gradOut, inputShape, window),
  ],
});

/** Whether each window of an axis has an element that is not in the padding. */
function holdElements(
  size: number,
  before: number,
  { kernel, stride, dilation, count }: Record<'kernel' | 'stride' | 'dilation' | 'count', number>,
): boolean {
  for (let i = 0; i < count; i++) {
    const start = i * stride - before;
    const skipped = Math.max(0, Math.ceil(-start / dilation));
    if (skipped >= kernel || start + skipped * dilation >= size) return false;
  }
  return true;
}

const POOL = ['kernelSize', 'stride', 'padding', 'dilation', 'ceilMode'] as const;

/**
 * The options of `maxPool2d` for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every image
 */
export function readPool2d(op: string, options: Pool2dOptions): Required<Pool2dOptions> {
  const {
    kernelSize,
    stride = kernelSize,
    padding = 0,
    dilation = 1,
    ceilMode = false,
  } = readOptions(op, options, POOL);
  const read = { kernelSize, stride, padding, dilation, ceilMode };
  expectWindow(op, read);
  if (typeof padding !== 'string') {
    const [[kernelHeight, kernelWidth], [gapHeight, gapWidth]] = [
      asPair(kernelSize),
      asPair(dilation),
    ];
    const span = [spanOf(kernelHeight, gapHeight), spanOf(kernelWidth, gapWidth)] as const;
    // Padding in pixels does not depend on the size of images, nor on strides.
    expectSmaller(op, resolvePadding(padding, [0, 0], span, [1, 1]), span);
  }
  return read;
}

/** Throws a `ValueError` unless padding is smaller than the span of a window. */
function expectSmaller(
  op: string,
  { top, bottom, left, right }: Padding,
  [height, width]: readonly [number, number],
  holdsAll = true,
): void {
  if (holdsAll && Math.max(top, bottom) < height && Math.max(left, right) < width) return;
  throw new ValueError(
    `${op}: padding [${top}, ${bottom}, ${left}, ${right}] must be smaller than the kernel ` +
      `${height} × ${width}, or some windows would hold padding only`,
  );
}

/**
 * The options of `avgPool2d` for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every image
 */
export function readAvgPool2d(op: string, options: AvgPool2dOptions): Required<AvgPool2dOptions> {
  const known = [...POOL, 'countIncludePad'] as const;
  const { countIncludePad = true, ...rest } = readOptions(op, options, known);
  expectBoolean(op, 'countIncludePad', countIncludePad);
  return { ...readPool2d(op, rest), countIncludePad };
}

/** The window of a pooling named `op`, checked to fit the images `x`. */
function poolWindow(op: string, x: Tensor, options: Pool2dOptions): Window2d {
  const read = readPool2d(op, options);
  expectRank(op, 'input', x, 'N, C, H, W');
  const [, , H, W] = x.shape;
  if (H === 0 || W === 0) {
    throw shapeError(op, 'needs images of at least one pixel, or the windows would hold none', {
      input: { shape: x.shape, layout: 'N, C, H, W' },
    });
  }
  const window = resolveWindow(op, x.shape, read);
  const { top, left } = window.padding;
  const { kernelHeight, kernelWidth, dilationHeight, dilationWidth } = window;
  const [spanHeight, spanWidth] = [
    spanOf(kernelHeight, dilationHeight),
    spanOf(kernelWidth, dilationWidth),
  ];
  const rows = {
    kernel: kernelHeight,
    stride: window.strideHeight,
    dilation: dilationHeight,
    count: window.outHeight,
  };
  const columns = {
    kernel: kernelWidth,
    stride: window.strideWidth,
    dilation: dilationWidth,
    count: window.outWidth,
  };
  const holdsAll =
    (dilationHeight === 1 || holdElements(H, top, rows)) &&
    (dilationWidth === 1 || holdElements(W, left, columns));
  expectSmaller(op, window.padding, [spanHeight, spanWidth], holdsAll);
  return window;
}

/** `maxPool2d` for the operation that messages name. */
export function largestOfWindows(op: string, input: Tensor, options: Pool2dOptions): Tensor {
  return maxPool(input, poolWindow(op, input, options)).values;
}

/** `avgPool2d` for the operation that messages name. */
export function meanOfWindows(op: string, input: Tensor, options: AvgPool2dOptions): Tensor {
  const { countIncludePad, ...rest } = readAvgPool2d(op, options);
  expectSameFloating(op, { input });
  const window = poolWindow(op, input, rest);
  const y = avgPool2dOp([input], { window });
  const { top, bottom, left, right } = window.padding;
  if (countIncludePad || top + bottom + left + right === 0) return y;
  // The mean of ones is the share of each window that lies inside the image.
  const pixels = ones([1, 1, ...input.shape.slice(2)], { dtype: input.dtype });
  return div(y, avgPool2dOp([pixels], { window }));
}

/**
 * Largest element of each window; the gradient goes to the first largest in row-major order.
 * Padding is no value, and never wins.
 *
 * @param x `[N, C, H, W]` of any dtype
 * @returns `[N, C, H', W']` with H' = ⌊(H + top + bottom − kH) / s⌋ + 1, rounded up with `ceilMode`
 * @throws ShapeError if the window does not fit, or images have no pixels; ValueError for options out
 *   of range
 * @see mindspore/nn/layer/pooling.py (which rounds down), torch.nn.MaxPool2d
 */
export function maxPool2d(x: TensorLike, options: Pool2dOptions): Tensor {
  return largestOfWindows('maxPool2d', asTensor('maxPool2d', 'x', x), options);
}

/**
 * Largest element of each window as `maxPool2d` gives it, and where it is: offset h · W + w within its
 * plane `[H, W]`. Of equal ones it is the first in row-major order, of several NaN the last.
 *
 * @param x `[N, C, H, W]` of any dtype
 * @returns `values` and `indices` (int32), both `[N, C, H', W']`, sized as by `maxPool2d`
 * @throws ShapeError if the window does not fit, or images have no pixels; ValueError for options out
 *   of range
 * @see torch.nn.MaxPool2d, parameter `return_indices`
 */
export function maxPool2dWithIndices(
  x: TensorLike,
  options: Pool2dOptions,
): { values: Tensor; indices: Tensor } {
  const op = 'maxPool2dWithIndices';
  const input = asTensor(op, 'x', x);
  const { values, indices } = maxPool(input, poolWindow(op, input, options));
  return { values, indices: new Tensor(indices) };
}

/**
 * Mean of each window. Padding counts as zeros, as in PyTorch by default; without `countIncludePad`
 * the mean is that of the pixels.
 *
 * @param x `[N, C, H, W]`
 * @returns `[N, C, H', W']`, sized as by `maxPool2d`
 * @throws ShapeError if the window does not fit, or images have no pixels; ValueError for options out
 *   of range
 * @see torch.nn.AvgPool2d
 */
export function avgPool2d(x: TensorLike, options: AvgPool2dOptions): Tensor {
  return meanOfWindows('avgPool2d', asTensor('avgPool2d', 'x', x), options);
}

/**
 * Spatial mean: y[n, c] = (1 / (H·W)) · Σ x[n, c, h, w].
 *
 * @param x `[N, C, H, W]`
 * @returns `[N, C]`
 * @throws ShapeError unless `x` has 4 axes
 * @see SqueezeNet, arXiv:1602.07360, table 1 (avgpool10)
 */
export function globalAvgPool2d(x: TensorLike): Tensor {
  const input = asTensor('globalAvgPool2d', 'x', x);
  expectRank('globalAvgPool2d', 'input', input, 'N, C, H, W');
  return mean(input, [2, 3]);
}

/**
 * The largest element of each image: y[n, c] = max x[n, c, h, w].
 *
 * @param x `[N, C, H, W]`
 * @returns `[N, C]`
 * @throws ShapeError unless `x` has 4 axes and at least one pixel
 * @see onnx GlobalMaxPool
 */
export function globalMaxPool2d(x: TensorLike): Tensor {
  const input = asTensor('globalMaxPool2d', 'x', x);
  expectRank('globalMaxPool2d', 'input', input, 'N, C, H, W');
  if (input.shape[2] === 0 || input.shape[3] === 0) {
    throw shapeError('globalMaxPool2d', 'needs images of at least one pixel', {
      input: { shape: input.shape, layout: 'N, C, H, W' },
    });
  }
  return max(input, [2, 3]);
}
