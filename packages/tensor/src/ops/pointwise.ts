import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { UNARY_GRAD_FROM, type UnaryOp } from '../backend/contract.ts';
import { unaryFunctions } from '../backend/kernels.ts';
import { expectFinite, readOptions } from '../core/checks.ts';
import type { NdArray } from '../core/ndarray.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { asNumeric, floatingInput } from './promotion.ts';

type Unary = (x: TensorLike) => Tensor;

/** Functions of each element alone; the derivatives stand beside the functions in the kernels. */
/* @__NO_SIDE_EFFECTS__ */
function defineUnary(name: UnaryOp): (x: Tensor, alpha?: number) => Tensor {
  const op = defineOp<[NdArray], { alpha: number }, { kept: NdArray | null; alpha: number }>(name, {
    forward: ([x], { alpha }) => {
      const y = unaryFunctions().unary(name, x, alpha);
      return {
        y,
        saved: { kept: { input: x, output: y, nothing: null }[UNARY_GRAD_FROM[name]], alpha },
      };
    },
    backward: (gradOut, { kept, alpha }) => [
      unaryFunctions().unaryGrad(name, kept ?? gradOut, gradOut, alpha),
    ],
  });
  return (x, alpha = 0) => op([x], { alpha });
}

/** Functions of all numbers. */
/* @__NO_SIDE_EFFECTS__ */
function defineNumericUnary(name: UnaryOp): Unary {
  const op = defineUnary(name);
  return (x) => op(asNumeric(asTensor(name, 'x', x)));
}

/** Functions whose values are fractions: integers are taken as float32. */
/* @__NO_SIDE_EFFECTS__ */
function defineFloatUnary(name: UnaryOp): Unary {
  const op = defineUnary(name);
  return (x) => op(floatingInput(name, x));
}

const leaky = defineUnary('leakyRelu');

/** y = −x. */
export const neg = defineNumericUnary('neg');
/** y = |x|; the gradient at 0 is 0. */
export const abs = defineNumericUnary('abs');
/** y = max(0, x); NaN stays NaN, and the gradient at 0 is 0. */
export const relu = defineNumericUnary('relu');
/** y = e^x. */
export const exp = defineFloatUnary('exp');
/** y = ln x; −Infinity at 0, NaN below. */
export const log = defineFloatUnary('log');
/** y = √x; NaN below 0. */
export const sqrt = defineFloatUnary('sqrt');

/** y = x for x ≥ 0, negativeSlope · x below; the gradient at 0 is `negativeSlope`. */
export function leakyRelu(x: TensorLike, options: { negativeSlope?: number } = {}): Tensor {
  const { negativeSlope = 0.01 } = readOptions('leakyRelu', options, ['negativeSlope']);
  const input = floatingInput('leakyRelu', x);
  expectFinite('leakyRelu', 'negativeSlope', negativeSlope);
  return leaky(input, negativeSlope);
}
