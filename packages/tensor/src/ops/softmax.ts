import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { logSoftmaxFunctions, softmaxFunctions } from '../backend/kernels.ts';
import { normalizeAxis } from '../core/checks.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { TensorLike } from './operands.ts';
import { floatingInput } from './promotion.ts';

interface Axis {
  readonly axis: number;
}

const softmaxOp = /* @__PURE__ */ defineOp<[NdArray], Axis, Axis & { y: NdArray }>('softmax', {
  forward: ([x], { axis }) => {
    const y = softmaxFunctions().softmax(x, axis);
    return { y, saved: { y, axis } };
  },
  backward: (gradOut, { y, axis }) => [softmaxFunctions().softmaxGrad(y, gradOut, axis)],
});

const logSoftmaxOp = /* @__PURE__ */ defineOp<[NdArray], Axis, Axis & { y: NdArray }>(
  'logSoftmax',
  {
    forward: ([x], { axis }) => {
      const y = logSoftmaxFunctions().logSoftmax(x, axis);
      return { y, saved: { y, axis } };
    },
    backward: (gradOut, { y, axis }) => [logSoftmaxFunctions().logSoftmaxGrad(y, gradOut, axis)],
  },
);

/** y_i = e^{x_i} / Σ_j e^{x_j} along an axis (the last by default); safe for large values. */
export function softmax(x: TensorLike, axis = -1): Tensor {
  const input = floatingInput('softmax', x);
  return softmaxOp([input], { axis: normalizeAxis('softmax', axis, input.shape) });
}

/** y_i = x_i − ln Σ_j e^{x_j} along an axis (the last by default); safe for large values. */
export function logSoftmax(x: TensorLike, axis = -1): Tensor {
  const input = floatingInput('logSoftmax', x);
  return logSoftmaxOp([input], { axis: normalizeAxis('logSoftmax', axis, input.shape) });
}
