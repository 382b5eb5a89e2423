import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { readOptions } from '../core/checks.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import type { PaddingOption, Pair, Window2d } from '../core/window.ts';
import { asTensor, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { mean } from './reduce.ts';
import { resolveWindow } from './window-options.ts';

/** How the window of a pooling moves over the image. */
export interface Pool2dOptions {
  /** Size of the window, `number` or `[h, w]`. */
  readonly kernelSize: Pair;
  /** Pixels between windows, `number` or `[h, w]`; the kernel size by default. */
  readonly stride?: Pair;
  /** `number`, `[h, w]`, `[top, bottom, left, right]`, `'same'` or `'valid'`; 0 by default. */
  readonly padding?: PaddingOption;
  /** Round the output size up, as Caffe and torchvision's SqueezeNet do; down by default. */
  readonly ceilMode?: boolean;
}

export const maxPool2dOp = defineOp<
  [NdArray],
  { window: Window2d },
  { indices: NdArray; inputShape: Shape }
>('maxPool2d', {
  forward: ([x], { window }) => {
    const { y, indices } = kernels().maxPool2d(x, window);
    return { y, saved: { indices, inputShape: x.shape } };
  },
  backward: (gradOut, { indices, inputShape }) => [
    kernels().maxPool2dGrad(gradOut, indices, inputShape),
  ],
});

export const avgPool2dOp = defineOp<
  [NdArray],
  { window: Window2d },
  { window: Window2d; inputShape: Shape }
>('avgPool2d', {
  forward: ([x], { window }) => ({
    y: kernels().avgPool2d(x, window),
    saved: { window, inputShape: x.shape },
  }),
  backward: (gradOut, { window, inputShape }) => [
    kernels().avgPool2dGrad(gradOut, inputShape, window),
  ],
});

function poolWindow(op: string, x: Tensor, options: Pool2dOptions): Window2d {
  const {
    kernelSize,
    stride = kernelSize,
    padding = 0,
    ceilMode = false,
  } = readOptions(op, options, ['kernelSize', 'stride', 'padding', 'ceilMode']);
  expectRank(op, 'input', x, 'N, C, H, W');
  expectSameFloating(op, { input: x });
  if (x.shape[2] === 0 || x.shape[3] === 0) {
    throw shapeError(op, 'needs images of at least one pixel, or the windows would hold none', {
      input: { shape: x.shape, layout: 'N, C, H, W' },
    });
  }
  const window = resolveWindow(op, x.shape, { kernelSize, stride, padding, dilation: 1, ceilMode });
  const { top, bottom, left, right } = window.padding;
  const { kernelHeight, kernelWidth } = window;
  if (Math.max(top, bottom) >= kernelHeight || Math.max(left, right) >= kernelWidth) {
    throw new ValueError(
      `${op}: padding [${top}, ${bottom}, ${left}, ${right}] must be smaller than the kernel ` +
        `${kernelHeight} × ${kernelWidth}, or some windows would hold padding only`,
    );
  }
  return window;
}

/**
 * Largest element of each window; the gradient goes to the first largest in row-major order.
 * Padding never wins.
 *
 * @param x `[N, C, H, W]`
 * @returns `[N, C, H', W']` with H' = ⌊(H + top + bottom − kH) / s⌋ + 1, rounded up with `ceilMode`
 * @throws ShapeError if the window does not fit, or images have no pixels; ValueError for options out
 *   of range
 * @see mindspore/nn/layer/pooling.py (which rounds down), torch.nn.MaxPool2d
 */
export function maxPool2d(x: TensorLike, options: Pool2dOptions): Tensor {
  const input = asTensor('maxPool2d', 'x', x);
  return maxPool2dOp([input], { window: poolWindow('maxPool2d', input, options) });
}

/**
 * Mean of each window. Padding counts as zeros, as in PyTorch by default.
 *
 * @param x `[N, C, H, W]`
 * @returns `[N, C, H', W']`, sized as by `maxPool2d`
 * @throws ShapeError if the window does not fit, or images have no pixels; ValueError for options out
 *   of range
 * @see torch.nn.AvgPool2d, `count_include_pad=True`
 */
export function avgPool2d(x: TensorLike, options: Pool2dOptions): Tensor {
  const input = asTensor('avgPool2d', 'x', x);
  return avgPool2dOp([input], { window: poolWindow('avgPool2d', input, options) });
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
