import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import { binaryFunctions } from '../backend/kernels.ts';
import { zip } from '../backend/reference/elementwise.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import type { NdArray } from '../core/ndarray.ts';
import { sumToShape, type TensorLike } from './operands.ts';
import { asNumeric, broadcastOperands } from './promotion.ts';

/** Whose sign a remainder has. */
type SignOf = 'divisor' | 'dividend';

function remainder(a: number, b: number, sign: SignOf): number {
  const rest = a % b;
  if (sign === 'dividend') return rest;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 === b < 0 ? rest : rest + b;
}

const modKernel = defineKernel({
  reference: (a: NdArray, b: NdArray, sign: SignOf) =>
    zip(a, b, a.dtype, (x, y) => remainder(x, y, sign)),
});

const modOp = defineOp<
  [NdArray, NdArray],
  { sign: SignOf },
  { a: NdArray; b: NdArray; y: NdArray }
>('mod', {
  forward: ([a, b], { sign }) => {
    const y = modKernel(a, b, sign);
    return { y, saved: { a, b, y } };
  },
  // y = a − q b with a whole q, which jumps where its own gradient would be.
  backward: (gradOut, { a, b, y }, [needsA, needsB]) => {
    const bySecond = (): NdArray => {
      const quotient = binaryFunctions().binary('div', binaryFunctions().binary('sub', y, a), b);
      return sumToShape(binaryFunctions().binary('mul', gradOut, quotient), b.shape);
    };
    return [needsA ? sumToShape(gradOut, a.shape) : null, needsB ? bySecond() : null];
  },
});

/**
 * y = a − b · q, the remainder of a division with a whole quotient q, elementwise with broadcasting. By
 * 0 it is NaN, and 0 for integers, as in NumPy.
 *
 * @param options `sign`: of the divisor b (default; q is rounded down, as in Python), or of the dividend
 *   a (rounded towards 0, as `fmod` and JavaScript's `%`)
 * @throws ValueError for another sign
 * @see numpy.mod, numpy.fmod
 */
export function mod(a: TensorLike, b: TensorLike, options: { sign?: SignOf } = {}): Tensor {
  const { sign = 'divisor' } = readOptions('mod', options, ['sign']);
  const isKnown = sign === 'divisor' || sign === 'dividend';
  expectThat(isKnown, 'mod', 'sign', "'divisor' or 'dividend'", sign);
  const [left, right] = broadcastOperands('mod', a, b);
  return modOp([asNumeric(left), asNumeric(right)], { sign });
}
