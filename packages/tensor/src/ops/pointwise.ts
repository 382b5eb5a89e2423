import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { UNARY_GRAD_FROM, type UnaryOp } from '../backend/kernels.ts';
import { kernels } from '../backend/registry.ts';
import type { NdArray } from '../core/ndarray.ts';
import { asFloating, asNumeric } from './operands.ts';

/** Functions of each element alone; the derivatives stand beside the functions in the kernels. */
function defineUnary(name: UnaryOp): (x: Tensor, alpha?: number) => Tensor {
  const op = defineOp<[NdArray], { alpha: number }, { kept: NdArray | null; alpha: number }>(name, {
    forward: ([x], { alpha }) => {
      const y = kernels().unary(name, x, alpha);
      return {
        y,
        saved: { kept: { input: x, output: y, nothing: null }[UNARY_GRAD_FROM[name]], alpha },
      };
    },
    backward: (gradOut, { kept, alpha }) => [
      kernels().unaryGrad(name, kept ?? gradOut, gradOut, alpha),
    ],
  });
  return (x, alpha = 0) => op([asNumeric(x)], { alpha });
}

/** The same for functions whose values are fractions: integers are taken as float32. */
function defineFloatUnary(name: UnaryOp): (x: Tensor) => Tensor {
  const op = defineUnary(name);
  return (x) => op(asFloating(x));
}

const leaky = defineUnary('leakyRelu');

/** y = −x. */
export const neg: (x: Tensor) => Tensor = defineUnary('neg');
/** y = |x|; the gradient at 0 is 0. */
export const abs: (x: Tensor) => Tensor = defineUnary('abs');
/** y = max(0, x); the gradient at 0 is 0. */
export const relu: (x: Tensor) => Tensor = defineUnary('relu');
/** y = e^x. */
export const exp = defineFloatUnary('exp');
/** y = ln x; −Infinity at 0, NaN below. */
export const log = defineFloatUnary('log');
/** y = √x; NaN below 0. */
export const sqrt = defineFloatUnary('sqrt');
/** y = 1 / (1 + e^−x). */
export const sigmoid = defineFloatUnary('sigmoid');
/** y = tanh x. */
export const tanh = defineFloatUnary('tanh');
/**
 * y = x · Φ(x), Φ being the distribution function of the standard normal distribution.
 *
 * @see Hendrycks & Gimpel, arXiv:1606.08415
 */
export const gelu = defineFloatUnary('gelu');
/** y = x · sigmoid(x), also called swish. */
export const silu = defineFloatUnary('silu');

/** y = x for x ≥ 0, negativeSlope · x below; the gradient at 0 is `negativeSlope`. */
export function leakyRelu(
  x: Tensor,
  { negativeSlope = 0.01 }: { negativeSlope?: number } = {},
): Tensor {
  return leaky(asFloating(x), negativeSlope);
}
