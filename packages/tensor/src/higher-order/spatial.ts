import type { Tensor } from '../autograd/tensor.ts';
import type { BatchNormStatistics, Conv2dBranch, Kernels } from '../backend/contract.ts';
import { withKernels } from '../backend/registry.ts';
import { NdArray } from '../core/ndarray.ts';
import { elementCount, type Shape } from '../core/shape.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { lessEqual } from '../ops/comparison.ts';
import { conv2dOp } from '../ops/conv2d.ts';
import { gatherGradOp } from '../ops/gather.ts';
import { relu, sqrt } from '../ops/pointwise.ts';
import { avgPool2dOp, maxPool } from '../ops/pool2d.ts';
import { mean, sum } from '../ops/reduce.ts';
import { reshape } from '../ops/reshape.ts';
import { sliceOp } from '../ops/slice.ts';
import { arrayOf, composed, constantOf, tensorOf } from '../ops/traced-array.ts';
import { where } from '../ops/where.ts';
import { avgPool2dGradOp, conv2dInputGradOp, conv2dWeightGradOp } from './adjoints.ts';

/** Channels of an image batch, one after the other, that belong to each branch. */
function channelsOf(g: Tensor, branches: readonly Conv2dBranch[]): Tensor[] {
  if (branches.length === 1) return [g];
  let first = 0;
  return branches.map(({ weight }) => {
    const [O] = weight.shape;
    const range = { starts: [0, first, 0, 0], steps: [1, 1, 1, 1] };
    first += O;
    return sliceOp([g], { range, shape: g.shape.map((length, axis) => (axis === 1 ? O : length)) });
  });
}

/** g where ReLU let its input pass. */
function beforeRelu(y: NdArray | null, g: Tensor): Tensor {
  return y === null ? g : where(lessEqual(tensorOf(y), 0), 0, g);
}

/** Positions in the planes of `[N, C, H, W]` as positions among all elements, flat. */
function flatIndices(indices: NdArray, [, , H, W]: Shape): Tensor {
  const [N, C] = indices.shape;
  const plane = indices.size / (N * C);
  const flat = new Int32Array(indices.size);
  for (const [i, index] of indices.data.entries()) flat[i] = Math.floor(i / plane) * H * W + index;
  return constantOf(NdArray.fromTypedArray(flat, [flat.length], 'int32'));
}

const asChannels = (x: Tensor): Tensor => reshape(x, [1, x.size, 1, 1]);

/** Mean and biased variance of each channel, [1, C, 1, 1]. */
function moments(x: Tensor): { mean: Tensor; variance: Tensor } {
  const center = mean(x, [0, 2, 3], { keepDims: true });
  const rest = sub(x, center);
  return { mean: center, variance: mean(mul(rest, rest), [0, 2, 3], { keepDims: true }) };
}

/** (x − mean) / √(variance + ε) and 1 / √(variance + ε). */
function normalized(x: Tensor, { mean, variance }: ReturnType<typeof moments>, epsilon: number) {
  const scale = div(1, sqrt(add(variance, epsilon)));
  return { scale, z: mul(sub(x, mean), scale) };
}

const givenMoments = ({ mean, variance }: BatchNormStatistics) => ({
  mean: asChannels(constantOf(mean)),
  variance: asChannels(constantOf(variance)),
});

/** Convolutions, pooling and batch norm made of operations, which can be differentiated again. */
export const spatial: Pick<
  Kernels,
  | 'conv2d'
  | 'conv2dGrad'
  | 'maxPool2d'
  | 'maxPool2dGrad'
  | 'avgPool2d'
  | 'avgPool2dGrad'
  | 'channelMoments'
  | 'batchNorm2d'
  | 'batchNorm2dGrad'
> = {
  conv2d: (x, branches, activation) =>
    composed(() => {
      const operands = branches.flatMap(({ weight, bias }) => [
        tensorOf(weight),
        bias === null ? null : tensorOf(bias),
      ]);
      const windows = branches.map(({ window }) => window);
      return conv2dOp([tensorOf(x), ...operands], { windows, activation });
    }),

  conv2dGrad: (x, y, gradOut, branches, needed) =>
    withKernels(null, () => {
      const gradients = channelsOf(beforeRelu(y, tensorOf(gradOut)), branches);
      const shapes = branches.map(({ weight, window }) => ({
        inputShape: x.shape,
        weightShape: weight.shape,
        window,
      }));
      const byInput = (): Tensor =>
        branches
          .map(({ weight }, i) => conv2dInputGradOp([tensorOf(weight), gradients[i]], shapes[i]))
          .reduce(add);
      return {
        x: needed.x ? arrayOf(byInput()) : null,
        weights: branches.map((_, i) =>
          needed.branches[i].weight
            ? arrayOf(conv2dWeightGradOp([tensorOf(x), gradients[i]], shapes[i]))
            : null,
        ),
        biases: branches.map((_, i) =>
          needed.branches[i].bias ? arrayOf(sum(gradients[i], [0, 2, 3])) : null,
        ),
      };
    }),

  maxPool2d: (x, window) =>
    withKernels(null, () => {
      const { values, indices } = maxPool(tensorOf(x), window);
      return { y: arrayOf(values), indices };
    }),

  maxPool2dGrad: (gradOut, indices, inputShape) =>
    composed(() => {
      const g = reshape(tensorOf(gradOut), [-1]);
      const inputs = [g, flatIndices(indices, inputShape)] as const;
      const flat = gatherGradOp(inputs, { axis: 0, inputShape: [elementCount(inputShape)] });
      return reshape(flat, inputShape);
    }),

  avgPool2d: (x, window) => composed(() => avgPool2dOp([tensorOf(x)], { window })),

  avgPool2dGrad: (gradOut, inputShape, window) =>
    composed(() => avgPool2dGradOp([tensorOf(gradOut)], { inputShape, window })),

  channelMoments: (x) =>
    withKernels(null, () => {
      const { mean, variance } = moments(tensorOf(x));
      return { mean: arrayOf(reshape(mean, [-1])), variance: arrayOf(reshape(variance, [-1])) };
    }),

  batchNorm2d: (x, statistics, weight, bias, epsilon, activation) =>
    composed(() => {
      const { z } = normalized(tensorOf(x), givenMoments(statistics), epsilon);
      const y = add(mul(z, asChannels(tensorOf(weight))), asChannels(tensorOf(bias)));
      return activation === 'relu' ? relu(y) : y;
    }),

  // gx = w / √(variance + ε) · (g − mean(g) − z · mean(g · z)), without the means if frozen.
  batchNorm2dGrad: (x, statistics, weight, bias, gradOut, epsilon) =>
    withKernels(null, () => {
      const { frozen } = statistics;
      const input = tensorOf(x);
      const { z, scale } = normalized(
        input,
        frozen ? givenMoments(statistics) : moments(input),
        epsilon,
      );
      const factor = asChannels(tensorOf(weight));
      const y = bias === null ? null : add(mul(z, factor), asChannels(tensorOf(bias)));
      const g = y === null ? tensorOf(gradOut) : where(lessEqual(y, 0), 0, tensorOf(gradOut));
      const meanOf = (values: Tensor): Tensor => mean(values, [0, 2, 3], { keepDims: true });
      const centered = frozen ? g : sub(sub(g, meanOf(g)), mul(z, meanOf(mul(g, z))));
      return {
        x: arrayOf(mul(mul(centered, scale), factor)),
        weight: arrayOf(sum(mul(g, z), [0, 2, 3])),
        bias: arrayOf(sum(g, [0, 2, 3])),
      };
    }),
};
