import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { UNARY_GRAD_FROM, type UnaryOp } from '../backend/contract.ts';
import { unaryFunctions } from '../backend/kernels.ts';
import type { NdArray } from '../core/ndarray.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import {
  abs,
  exactGelu,
  exp,
  leakyRelu,
  log,
  neg,
  relu,
  sigmoid,
  silu,
  sqrt,
  tanh,
} from '../ops/pointwise.ts';
import { composed, constantOf, tensorOf } from '../ops/traced-array.ts';

/** A function as an operation, and what its derivative changes by. */
interface UnaryOfTensors {
  readonly f: (x: Tensor, alpha: number) => Tensor;
  /**
   * The derivative of f′ by what it is computed from (`UNARY_GRAD_FROM`): f″(x) where that is the
   * input. 'zero' where f′ is constant but for jumps.
   */
  readonly curvature: 'zero' | ((saved: Tensor, alpha: number) => Tensor | number);
}

/** sigmoid′, without the difference 1 − y, which has no digits far out. */
const slopeOfSigmoid = (x: Tensor): Tensor => mul(sigmoid(x), sigmoid(neg(x)));
/** 1 − 2 · sigmoid(x) = sigmoid(−x) − sigmoid(x) = −tanh(x / 2). */
const tilt = (x: Tensor): Tensor => neg(tanh(mul(x, 0.5)));
/** φ(x) = e^(−x²/2) / √(2π). */
const density = (x: Tensor): Tensor => mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
const square = (x: Tensor): Tensor => mul(x, x);

const UNARY: Readonly<Record<UnaryOp, UnaryOfTensors>> = {
  neg: { f: neg, curvature: 'zero' },
  exp: { f: exp, curvature: () => 1 },
  log: { f: log, curvature: (x) => neg(div(1, square(x))) },
  sqrt: { f: sqrt, curvature: (y) => div(-0.5, square(y)) },
  abs: { f: abs, curvature: 'zero' },
  relu: { f: relu, curvature: 'zero' },
  leakyRelu: { f: (x, alpha) => leakyRelu(x, { negativeSlope: alpha }), curvature: 'zero' },
  sigmoid: { f: sigmoid, curvature: (x) => mul(slopeOfSigmoid(x), tilt(x)) },
  // tanh′(x) = 4 · sigmoid′(2x), and so tanh″(x) = 8 · sigmoid″(2x).
  tanh: { f: tanh, curvature: (x) => mul(8, mul(slopeOfSigmoid(mul(x, 2)), neg(tanh(x)))) },
  gelu: { f: exactGelu, curvature: (x) => mul(density(x), sub(2, square(x))) },
  silu: { f: silu, curvature: (x) => mul(slopeOfSigmoid(x), add(2, mul(x, tilt(x)))) },
};

/** A unary function of the contract as an operation. */
export function unaryOfTensors(op: UnaryOp, x: Tensor, alpha: number): Tensor {
  return UNARY[op].f(x, alpha);
}

interface Attributes {
  readonly op: UnaryOp;
  readonly alpha: number;
}

/** g · f′ as an operation, with inputs what f′ is computed from, and g. */
const unaryGradOp = defineOp<
  [NdArray, NdArray],
  Attributes,
  Attributes & { readonly kept: NdArray; readonly g: NdArray }
>('unaryGrad', {
  forward: ([kept, g], { op, alpha }) => ({
    y: unaryFunctions().unaryGrad(op, kept, g, alpha),
    saved: { op, alpha, kept, g },
  }),
  backward(gradOut, { op, alpha, kept, g }, [needsKept, needsG]) {
    const { curvature } = UNARY[op];
    return [
      needsKept && curvature !== 'zero'
        ? composed(() => mul(mul(tensorOf(gradOut), tensorOf(g)), curvature(tensorOf(kept), alpha)))
        : null,
      needsG ? unaryFunctions().unaryGrad(op, kept, gradOut, alpha) : null,
    ];
  },
});

/** g · f′ of a function of the contract. */
export function unaryGradOfTensors(op: UnaryOp, saved: NdArray, g: Tensor, alpha: number): Tensor {
  const isConstant = UNARY_GRAD_FROM[op] === 'nothing';
  return unaryGradOp([isConstant ? constantOf(saved) : tensorOf(saved), g], { op, alpha });
}
