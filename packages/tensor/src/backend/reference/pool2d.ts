import { newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { elementCount } from '../../core/shape.ts';
import { spanOf, type Window2d } from '../../core/window.ts';
import type { Kernels } from '../contract.ts';
import { rounded } from './sums.ts';

/** Rows and columns of the input that one window covers, and the padded elements it divides by. */
interface Cover {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** The first place from `start` on, in steps of the dilation, that is not in the padding before. */
function firstInside(start: number, dilation: number): number {
  return start < 0 ? start + Math.ceil(-start / dilation) * dilation : start;
}

/**
 * The part of window (oh, ow) that lies inside an input of H × W pixels. The count has padding, but
 * not what a window of `ceilMode` has beyond it (as PyTorch's `count_include_pad`).
 */
function coverOf(window: Window2d, H: number, W: number, oh: number, ow: number): Cover {
  const { padding, dilationHeight, dilationWidth } = window;
  const top = oh * window.strideHeight - padding.top;
  const left = ow * window.strideWidth - padding.left;
  const bottom = Math.min(top + spanOf(window.kernelHeight, dilationHeight), H + padding.bottom);
  const right = Math.min(left + spanOf(window.kernelWidth, dilationWidth), W + padding.right);
  return {
    top: firstInside(top, dilationHeight),
    left: firstInside(left, dilationWidth),
    bottom: Math.min(H, bottom),
    right: Math.min(W, right),
    count: Math.ceil((bottom - top) / dilationHeight) * Math.ceil((right - left) / dilationWidth),
  };
}

export const maxPooling: Pick<Kernels, 'maxPool2d' | 'maxPool2dGrad'> = {
  maxPool2d(x, window) {
    const [N, C, H, W] = x.shape;
    const { outHeight, outWidth, dilationHeight, dilationWidth } = window;
    const shape = [N, C, outHeight, outWidth];
    const data = x.data;
    const out = newTypedArray(x.dtype, elementCount(shape));
    const indices = new Int32Array(out.length);
    let at = 0;
    for (let plane = 0; plane < N * C; plane++) {
      for (let oh = 0; oh < outHeight; oh++) {
        for (let ow = 0; ow < outWidth; ow++) {
          const { top, bottom, left, right } = coverOf(window, H, W, oh, ow);
          let best = top * W + left;
          for (let h = top; h < bottom; h += dilationHeight) {
            for (let w = left; w < right; w += dilationWidth) {
              const value = data[plane * H * W + h * W + w];
              // The first maximum in row-major order wins; NaN wins over everything.
              if (value > data[plane * H * W + best] || Number.isNaN(value)) best = h * W + w;
            }
          }
          out[at] = data[plane * H * W + best];
          indices[at] = best;
          at++;
        }
      }
    }
    return {
      y: NdArray.fromTypedArray(out, shape, x.dtype),
      indices: NdArray.fromTypedArray(indices, shape, 'int32'),
    };
  },

  maxPool2dGrad(gradOut, indices, inputShape) {
    const [, , H, W] = inputShape;
    const [, , outHeight, outWidth] = gradOut.shape;
    const [grad, positions] = [gradOut.data, indices.data];
    const sums = new Float64Array(elementCount(inputShape));
    for (let i = 0; i < grad.length; i++) {
      const plane = Math.floor(i / (outHeight * outWidth));
      sums[plane * H * W + positions[i]] += grad[i];
    }
    return rounded(sums, inputShape, gradOut.dtype);
  },
};

export const averagePooling: Pick<Kernels, 'avgPool2d' | 'avgPool2dGrad'> = {
  avgPool2d(x, window) {
    const [N, C, H, W] = x.shape;
    const { outHeight, outWidth, dilationHeight, dilationWidth } = window;
    const shape = [N, C, outHeight, outWidth];
    const data = x.data;
    const out = newTypedArray(x.dtype, elementCount(shape));
    let at = 0;
    for (let plane = 0; plane < N * C; plane++) {
      for (let oh = 0; oh < outHeight; oh++) {
        for (let ow = 0; ow < outWidth; ow++) {
          const { top, bottom, left, right, count } = coverOf(window, H, W, oh, ow);
          let sum = 0;
          for (let h = top; h < bottom; h += dilationHeight) {
            for (let w = left; w < right; w += dilationWidth)
              sum += data[plane * H * W + h * W + w];
          }
          out[at++] = sum / count;
        }
      }
    }
    return NdArray.fromTypedArray(out, shape, x.dtype);
  },

  avgPool2dGrad(gradOut, inputShape, window) {
    const [N, C, H, W] = inputShape;
    const { outHeight, outWidth, dilationHeight, dilationWidth } = window;
    const grad = gradOut.data;
    const sums = new Float64Array(elementCount(inputShape));
    let at = 0;
    for (let plane = 0; plane < N * C; plane++) {
      for (let oh = 0; oh < outHeight; oh++) {
        for (let ow = 0; ow < outWidth; ow++) {
          const { top, bottom, left, right, count } = coverOf(window, H, W, oh, ow);
          const share = grad[at++] / count;
          for (let h = top; h < bottom; h += dilationHeight) {
            for (let w = left; w < right; w += dilationWidth)
              sums[plane * H * W + h * W + w] += share;
          }
        }
      }
    }
    return rounded(sums, inputShape, gradOut.dtype);
  },
};
