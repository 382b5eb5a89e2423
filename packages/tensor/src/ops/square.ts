import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { binaryFunctions } from '../backend/kernels.ts';
import type { NdArray } from '../core/ndarray.ts';
import { asTensor, scalar, type TensorLike } from './operands.ts';
import { asNumeric } from './promotion.ts';

const squareOp = defineOp<[NdArray], null, { x: NdArray }>('square', {
  forward: ([x]) => ({ y: binaryFunctions().binary('mul', x, x), saved: { x } }),
  backward: (gradOut, { x }) => {
    const slope = binaryFunctions().binary('mul', x, scalar(2, x.dtype));
    return [binaryFunctions().binary('mul', gradOut, slope)];
  },
});

/** y = x², elementwise; integers wrap modulo 2^bits. */
export function square(x: TensorLike): Tensor {
  return squareOp([asNumeric(asTensor('square', 'x', x))], null);
}
