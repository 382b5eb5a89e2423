import { newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { elementCount } from '../../core/shape.ts';
import type { Conv2dWindow } from '../../core/window.ts';
import type { Kernels } from '../kernels.ts';

/**
 * One axis of one kernel tap: output index `o` meets input index `o · stride + shift`, and
 * `first ≤ o < end` are the outputs for which that lies inside the input.
 */
interface TapAxis {
  readonly stride: number;
  readonly shift: number;
  readonly first: number;
  readonly end: number;
}

function tapAxis(stride: number, shift: number, inSize: number, outSize: number): TapAxis {
  const first = Math.max(0, Math.ceil(-shift / stride));
  const end = Math.min(outSize, Math.ceil((inSize - shift) / stride));
  return { stride, shift, first, end };
}

/** All taps of the kernel in row-major order, as pairs of axes. */
function tapsOf(
  window: Conv2dWindow,
  H: number,
  W: number,
): { readonly rows: TapAxis; readonly columns: TapAxis }[] {
  const { padding } = window;
  const taps = [];
  for (let kh = 0; kh < window.kernelHeight; kh++) {
    const shiftH = kh * window.dilationHeight - padding.top;
    const rows = tapAxis(window.strideHeight, shiftH, H, window.outHeight);
    for (let kw = 0; kw < window.kernelWidth; kw++) {
      const shiftW = kw * window.dilationWidth - padding.left;
      const columns = tapAxis(window.strideWidth, shiftW, W, window.outWidth);
      taps.push({ rows, columns });
    }
  }
  return taps;
}

export const convolution: Pick<Kernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dWeightGrad'> = {
  // y[n, o, oh, ow] = bias[o] + Σ x[n, i, oh · sH + kh · dH − top, ow · sW + kw · dW − left]
  //                             · weight[o, i, kh, kw]   over the group's i and all kh, kw
  conv2d(x, weight, bias, window) {
    const [N, C, H, W] = x.shape;
    const [O, groupC] = weight.shape;
    const { outHeight, outWidth, groups } = window;
    const taps = tapsOf(window, H, W);
    const shape = [N, O, outHeight, outWidth];
    const [dataX, dataW] = [x.data, weight.data];
    const out = newTypedArray(x.dtype, elementCount(shape));
    const plane = new Float64Array(outHeight * outWidth);
    for (let n = 0; n < N; n++) {
      for (let o = 0; o < O; o++) {
        const firstC = Math.floor(o / (O / groups)) * groupC;
        plane.fill(bias === null ? 0 : bias.data[o]);
        for (let i = 0; i < groupC; i++) {
          const startX = (n * C + firstC + i) * H * W;
          for (let tap = 0; tap < taps.length; tap++) {
            const { rows, columns } = taps[tap];
            const factor = dataW[(o * groupC + i) * taps.length + tap];
            for (let oh = rows.first; oh < rows.end; oh++) {
              const rowX = startX + (oh * rows.stride + rows.shift) * W + columns.shift;
              const rowY = oh * outWidth;
              for (let ow = columns.first; ow < columns.end; ow++) {
                plane[rowY + ow] += factor * dataX[rowX + ow * columns.stride];
              }
            }
          }
        }
        out.set(plane, (n * O + o) * plane.length);
      }
    }
    return NdArray.fromTypedArray(out, shape, x.dtype);
  },

  // Every product of the forward sum, seen from x: gx[…] += weight[o, i, kh, kw] · g[n, o, oh, ow]
  conv2dInputGrad(gradOut, weight, inputShape, window) {
    const [N, C, H, W] = inputShape;
    const [O, groupC] = weight.shape;
    const { outHeight, outWidth, groups } = window;
    const groupO = O / groups;
    const taps = tapsOf(window, H, W);
    const [grad, dataW] = [gradOut.data, weight.data];
    const out = newTypedArray(gradOut.dtype, elementCount(inputShape));
    const plane = new Float64Array(H * W);
    for (let n = 0; n < N; n++) {
      for (let c = 0; c < C; c++) {
        const firstO = Math.floor(c / groupC) * groupO;
        plane.fill(0);
        for (let o = firstO; o < firstO + groupO; o++) {
          const startG = (n * O + o) * outHeight * outWidth;
          for (let tap = 0; tap < taps.length; tap++) {
            const { rows, columns } = taps[tap];
            const factor = dataW[(o * groupC + (c % groupC)) * taps.length + tap];
            for (let oh = rows.first; oh < rows.end; oh++) {
              const rowX = (oh * rows.stride + rows.shift) * W + columns.shift;
              const rowG = startG + oh * outWidth;
              for (let ow = columns.first; ow < columns.end; ow++) {
                plane[rowX + ow * columns.stride] += factor * grad[rowG + ow];
              }
            }
          }
        }
        out.set(plane, (n * C + c) * plane.length);
      }
    }
    return NdArray.fromTypedArray(out, inputShape, gradOut.dtype);
  },

  // Every product of the forward sum, seen from weight: gw[o, i, kh, kw] = Σ x[…] · g[n, o, oh, ow]
  conv2dWeightGrad(x, gradOut, weightShape, window) {
    const [N, C, H, W] = x.shape;
    const [O, groupC] = weightShape;
    const { outHeight, outWidth, groups } = window;
    const taps = tapsOf(window, H, W);
    const [dataX, grad] = [x.data, gradOut.data];
    const out = newTypedArray(x.dtype, elementCount(weightShape));
    for (let o = 0; o < O; o++) {
      const firstC = Math.floor(o / (O / groups)) * groupC;
      for (let i = 0; i < groupC; i++) {
        for (let tap = 0; tap < taps.length; tap++) {
          const { rows, columns } = taps[tap];
          let sum = 0;
          for (let n = 0; n < N; n++) {
            const startX = (n * C + firstC + i) * H * W;
            const startG = (n * O + o) * outHeight * outWidth;
            for (let oh = rows.first; oh < rows.end; oh++) {
              const rowX = startX + (oh * rows.stride + rows.shift) * W + columns.shift;
              const rowG = startG + oh * outWidth;
              for (let ow = columns.first; ow < columns.end; ow++) {
                sum += dataX[rowX + ow * columns.stride] * grad[rowG + ow];
              }
            }
          }
          out[(o * groupC + i) * taps.length + tap] = sum;
        }
      }
    }
    return NdArray.fromTypedArray(out, weightShape, x.dtype);
  },
};
