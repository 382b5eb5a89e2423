import { newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { elementCount, type Shape } from '../../core/shape.ts';
import type { Conv2dWindow } from '../../core/window.ts';
import type { Conv2dBranch, Kernels } from '../contract.ts';
import { unaryFunctions } from './elementwise.ts';
import { positivePart } from './functions.ts';
import { reductions } from './reduce.ts';

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

/** The branches with the first of their channels in the common output, and the number of all. */
function placed(branches: readonly Conv2dBranch[]): {
  channels: number;
  places: { branch: Conv2dBranch; firstChannel: number }[];
} {
  let channels = 0;
  const places = branches.map((branch) => {
    const firstChannel = channels;
    channels += branch.weight.shape[0];
    return { branch, firstChannel };
  });
  return { channels, places };
}

// Every product of the forward sum, seen from x: gx[…] += weight[o, i, kh, kw] · g[n, o, oh, ow]
function inputGrad(
  gradOut: NdArray,
  branches: readonly Conv2dBranch[],
  inputShape: Shape,
): NdArray {
  const [N, C, H, W] = inputShape;
  const { channels, places } = placed(branches);
  const { outHeight, outWidth } = branches[0].window;
  const grad = gradOut.data;
  const out = newTypedArray(gradOut.dtype, elementCount(inputShape));
  const plane = new Float64Array(H * W);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      plane.fill(0);
      for (const { branch, firstChannel } of places) {
        const { weight, window } = branch;
        const [O, groupC] = weight.shape;
        const groupO = O / window.groups;
        const firstO = Math.floor(c / groupC) * groupO;
        const taps = tapsOf(window, H, W);
        const dataW = weight.data;
        for (let o = firstO; o < firstO + groupO; o++) {
          const startG = (n * channels + firstChannel + o) * outHeight * outWidth;
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
      }
      out.set(plane, (n * C + c) * plane.length);
    }
  }
  return NdArray.fromTypedArray(out, inputShape, gradOut.dtype);
}

// Every product of the forward sum, seen from weight: gw[o, i, kh, kw] = Σ x[…] · g[n, o, oh, ow]
function weightGrad(
  x: NdArray,
  gradOut: NdArray,
  weightShape: Shape,
  window: Conv2dWindow,
  firstChannel: number,
): NdArray {
  const [N, C, H, W] = x.shape;
  const [O, groupC] = weightShape;
  const channels = gradOut.shape[1];
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
          const startG = (n * channels + firstChannel + o) * outHeight * outWidth;
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
}

export const convolution: Pick<Kernels, 'conv2d' | 'conv2dGrad'> = {
  // y[n, o, oh, ow] = bias[o] + Σ x[n, i, oh · sH + kh · dH − top, ow · sW + kw · dW − left]
  //                             · weight[o, i, kh, kw]   over the group's i and all kh, kw
  conv2d(x, branches, activation) {
    const [N, C, H, W] = x.shape;
    const { channels, places } = placed(branches);
    const { outHeight, outWidth } = branches[0].window;
    const shape = [N, channels, outHeight, outWidth];
    const out = newTypedArray(x.dtype, elementCount(shape));
    const plane = new Float64Array(outHeight * outWidth);
    for (const { branch, firstChannel } of places) {
      const { weight, bias, window } = branch;
      const [O, groupC] = weight.shape;
      const taps = tapsOf(window, H, W);
      const [dataX, dataW] = [x.data, weight.data];
      for (let n = 0; n < N; n++) {
        for (let o = 0; o < O; o++) {
          const firstC = Math.floor(o / (O / window.groups)) * groupC;
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
          const y = activation === 'relu' ? plane.map(positivePart) : plane;
          out.set(y, (n * channels + firstChannel + o) * plane.length);
        }
      }
    }
    return NdArray.fromTypedArray(out, shape, x.dtype);
  },

  // The bias was added to every pixel, so its gradient is the sum over all of them.
  conv2dGrad(x, y, gradOut, branches, needed) {
    const gradient = y === null ? gradOut : unaryFunctions.unaryGrad('relu', y, gradOut, 0);
    const sums = reductions.reduce('sum', gradient, [0, 2, 3]).data;
    const { places } = placed(branches);
    return {
      x: needed.x ? inputGrad(gradient, branches, x.shape) : null,
      weights: places.map(({ branch, firstChannel }, i) =>
        needed.branches[i].weight
          ? weightGrad(x, gradient, branch.weight.shape, branch.window, firstChannel)
          : null,
      ),
      biases: places.map(({ branch, firstChannel }, i) => {
        if (!needed.branches[i].bias) return null;
        const channels = branch.weight.shape[0];
        const ofBranch = sums.slice(firstChannel, firstChannel + channels);
        return NdArray.fromTypedArray(ofBranch, [channels], gradOut.dtype);
      }),
    };
  },
};
