import type { Tensor } from '../autograd/tensor.ts';
import type { BinaryOp, ExtremumOp, Kernels, ReduceOp } from '../backend/contract.ts';
import { argReductions, binaryFunctions, comparisons } from '../backend/kernels.ts';
import { withKernels } from '../backend/registry.ts';
import { isFloating } from '../core/dtype.ts';
import { AutogradError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { add, div, maximum, minimum, mul, pow, sub } from '../ops/arithmetic.ts';
import { broadcastTo } from '../ops/broadcast-to.ts';
import { cast } from '../ops/cast.ts';
import { less } from '../ops/comparison.ts';
import { concat } from '../ops/concat.ts';
import { softmaxCrossEntropy } from '../ops/cross-entropy.ts';
import { dropoutOp } from '../ops/dropout.ts';
import { gatherGradOp, gatherOp } from '../ops/gather.ts';
import { matmul } from '../ops/matmul.ts';
import { oneHot } from '../ops/one-hot.ts';
import { padOp } from '../ops/pad.ts';
import { permute } from '../ops/permute.ts';
import { exp } from '../ops/pointwise.ts';
import { max, mean, min, sum } from '../ops/reduce.ts';
import { reshape } from '../ops/reshape.ts';
import { sliceOp } from '../ops/slice.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { composed, constantOf, tensorOf } from '../ops/traced-array.ts';
import { where } from '../ops/where.ts';
import { sliceGradOp } from './adjoints.ts';
import { spatial } from './spatial.ts';
import { unaryGradOfTensors, unaryOfTensors } from './unary-derivatives.ts';

const BINARY: Readonly<Record<BinaryOp, (a: Tensor, b: Tensor) => Tensor>> = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
};
const REDUCE: Readonly<Record<ReduceOp, typeof sum>> = { sum, mean };
const EXTREMUM: Readonly<Record<ExtremumOp, typeof max>> = { max, min };

/** Results that do not change with the values, but in jumps: computed from the elements alone. */
function constant(run: (plain: (array: NdArray) => NdArray) => NdArray): NdArray {
  return withKernels(null, () => run((array) => constantOf(array).array));
}

function refuseChange(name: string): never {
  throw new AutogradError(
    `gradients: a backward changes an array in place (${name}), so what it gives cannot be ` +
      'differentiated again; compute a new array instead',
  );
}

/**
 * Every kernel made of operations on the tensors that its arrays stand for. A backward that runs on
 * these gives gradients with history, so that they can be differentiated in their turn, to any order.
 */
export const recordedKernels: Kernels = {
  ...spatial,

  unary: (op, x, alpha) => composed(() => unaryOfTensors(op, tensorOf(x), alpha)),
  unaryGrad: (op, saved, gradOut, alpha) =>
    composed(() => unaryGradOfTensors(op, saved, tensorOf(gradOut), alpha)),
  // Backwards also combine conditions, as numbers 0 and 1.
  binary: (op, a, b) =>
    isFloating(a.dtype)
      ? composed(() => BINARY[op](tensorOf(a), tensorOf(b)))
      : constant((plain) => binaryFunctions().binary(op, plain(a), plain(b))),
  power: (a, b) => composed(() => pow(tensorOf(a), tensorOf(b))),
  compare: (op, a, b) => constant((plain) => comparisons().compare(op, plain(a), plain(b))),
  where: (condition, a, b) => composed(() => where(tensorOf(condition), tensorOf(a), tensorOf(b))),
  cast: (x, dtype) => composed(() => cast(tensorOf(x), dtype)),

  reduce: (op, x, axes) => composed(() => REDUCE[op](tensorOf(x), axes)),
  extremum: (op, x, axes) => composed(() => EXTREMUM[op](tensorOf(x), axes)),
  argReduce: (op, x, axis) => constant((plain) => argReductions().argReduce(op, plain(x), axis)),

  matmul: (a, b, transposed) =>
    composed(() =>
      matmul(tensorOf(a), tensorOf(b), { transposeA: transposed.a, transposeB: transposed.b }),
    ),

  broadcastTo: (x, shape) => composed(() => broadcastTo(tensorOf(x), shape)),
  permute: (x, axes) => composed(() => permute(tensorOf(x), axes)),
  slice: (x, range, shape) => composed(() => sliceOp([tensorOf(x)], { range, shape })),
  sliceGrad: (gradOut, range, inputShape) =>
    composed(() => sliceGradOp([tensorOf(gradOut)], { range, inputShape })),
  pad: (x, before, shape, value) => composed(() => padOp([tensorOf(x)], { before, shape, value })),
  concat: (inputs, axis) => composed(() => concat(inputs.map(tensorOf), axis)),
  gather: (x, indices, axis) =>
    composed(() => gatherOp([tensorOf(x), tensorOf(indices)], { axis })),
  gatherGrad: (gradOut, indices, axis, inputShape) =>
    composed(() => gatherGradOp([tensorOf(gradOut), tensorOf(indices)], { axis, inputShape })),

  softmax: (x, axis) => composed(() => softmax(tensorOf(x), axis)),
  softmaxGrad: (y, gradOut, axis) =>
    composed(() => {
      const [output, g] = [tensorOf(y), tensorOf(gradOut)];
      return mul(output, sub(g, sum(mul(output, g), axis, { keepDims: true })));
    }),
  logSoftmax: (x, axis) => composed(() => logSoftmax(tensorOf(x), axis)),
  logSoftmaxGrad: (y, gradOut, axis) =>
    composed(() => {
      const g = tensorOf(gradOut);
      return sub(g, mul(exp(tensorOf(y)), sum(g, axis, { keepDims: true })));
    }),
  softmaxCrossEntropy: (logits, labels) =>
    composed(() => softmaxCrossEntropy(tensorOf(logits), tensorOf(labels), { ignoreIndex: -1 })),
  softmaxCrossEntropyGrad: (logits, labels, gradOut) =>
    composed(() => {
      const scores = tensorOf(logits);
      const own = reshape(tensorOf(labels), [-1, 1]);
      const targets = oneHot(maximum(tensorOf(labels), 0), logits.shape[1], {
        dtype: logits.dtype,
      });
      const slope = mul(sub(softmax(scores), targets), reshape(tensorOf(gradOut), [-1, 1]));
      return where(less(own, 0), 0, slope);
    }),

  dropout: (x, rate, generator) =>
    composed(() => dropoutOp([tensorOf(x)], { p: rate, state: generator })),

  blend: () => refuseChange('blend'),
  momentumStep: () => refuseChange('momentumStep'),
};
