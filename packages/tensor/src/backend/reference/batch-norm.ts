import { newTypedArray, type TypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import type { BatchNormStatistics, Kernels } from '../contract.ts';
import { unaryFunctions } from './elementwise.ts';

/** Calls `visit` with the position of every element of channel c of an array [N, C, H, W]. */
function forEachOfChannel(x: NdArray, c: number, visit: (at: number) => void): void {
  const [N, C, H, W] = x.shape;
  for (let n = 0; n < N; n++) {
    const start = (n * C + c) * H * W;
    for (let i = 0; i < H * W; i++) visit(start + i);
  }
}

function channelArray(x: NdArray, values: TypedArray): NdArray {
  return NdArray.fromTypedArray(values, [x.shape[1]], x.dtype);
}

// y = (x − mean) / √(variance + ε) · weight + bias
function normalized(
  x: NdArray,
  { mean, variance }: BatchNormStatistics,
  weight: NdArray,
  bias: NdArray,
  epsilon: number,
): NdArray {
  const data = x.data;
  const out = newTypedArray(x.dtype, data.length);
  for (let c = 0; c < x.shape[1]; c++) {
    const scale = weight.data[c] / Math.sqrt(variance.data[c] + epsilon);
    const center = mean.data[c];
    const shift = bias.data[c];
    forEachOfChannel(x, c, (at) => {
      out[at] = (data[at] - center) * scale + shift;
    });
  }
  return NdArray.fromTypedArray(out, x.shape, x.dtype);
}

export const batchNormalization: Pick<
  Kernels,
  'channelMoments' | 'batchNorm2d' | 'batchNorm2dGrad'
> = {
  // Mean and biased variance (divided by N · H · W) of each channel.
  channelMoments(x) {
    const [N, C, H, W] = x.shape;
    const count = N * H * W;
    const data = x.data;
    const mean = newTypedArray(x.dtype, C);
    const variance = newTypedArray(x.dtype, C);
    for (let c = 0; c < C; c++) {
      let sum = 0;
      forEachOfChannel(x, c, (at) => {
        sum += data[at];
      });
      const center = sum / count;
      let squares = 0;
      forEachOfChannel(x, c, (at) => {
        squares += (data[at] - center) ** 2;
      });
      mean[c] = center;
      variance[c] = squares / count;
    }
    return { mean: channelArray(x, mean), variance: channelArray(x, variance) };
  },

  batchNorm2d(x, statistics, weight, bias, epsilon, activation) {
    const y = normalized(x, statistics, weight, bias, epsilon);
    return activation === 'relu' ? unaryFunctions.unary('relu', y, 0) : y;
  },

  // With x̂ = (x − mean) / √(variance + ε): gweight = Σ g x̂, gbias = Σ g, and
  // gx = weight / √(variance + ε) · (g − mean(g) − x̂ · mean(g x̂)); for frozen statistics only
  // the first term is left. g is the gradient before the activation.
  batchNorm2dGrad(x, statistics, weight, bias, gradOut, epsilon) {
    const { mean, variance, frozen } = statistics;
    const y = bias === null ? null : normalized(x, statistics, weight, bias, epsilon);
    const gradient = y === null ? gradOut : unaryFunctions.unaryGrad('relu', y, gradOut, 0);
    const [N, C, H, W] = x.shape;
    const count = N * H * W;
    const [data, grad] = [x.data, gradient.data];
    const gradX = newTypedArray(x.dtype, data.length);
    const gradWeight = newTypedArray(x.dtype, C);
    const gradBias = newTypedArray(x.dtype, C);
    for (let c = 0; c < C; c++) {
      const center = mean.data[c];
      const inverseStd = 1 / Math.sqrt(variance.data[c] + epsilon);
      let sum = 0;
      let dot = 0;
      forEachOfChannel(x, c, (at) => {
        sum += grad[at];
        dot += grad[at] * (data[at] - center) * inverseStd;
      });
      gradWeight[c] = dot;
      gradBias[c] = sum;
      const scale = weight.data[c] * inverseStd;
      forEachOfChannel(x, c, (at) => {
        const normalized = (data[at] - center) * inverseStd;
        const throughStatistics = frozen ? 0 : (sum + normalized * dot) / count;
        gradX[at] = scale * (grad[at] - throughStatistics);
      });
    }
    return {
      x: NdArray.fromTypedArray(gradX, x.shape, x.dtype),
      weight: channelArray(x, gradWeight),
      bias: channelArray(x, gradBias),
    };
  },
};
