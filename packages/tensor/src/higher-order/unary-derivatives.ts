import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { UNARY_GRAD_FROM, type UnaryOp } from '../backend/contract.ts';
import { unaryFunctions } from '../backend/kernels.ts';
import type { NdArray } from '../core/ndarray.ts';
import { div, mul } from '../ops/arithmetic.ts';
import { abs, exp, leakyRelu, log, neg, relu, sqrt } from '../ops/pointwise.ts';
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

const square = (x: Tensor): Tensor => mul(x, x);

const UNARY: Readonly<Record<UnaryOp, UnaryOfTensors>> = {
  neg: { f: neg, curvature: 'zero' },
  exp: { f: exp, curvature: () => 1 },
  log: { f: log, curvature: (x) => neg(div(1, square(x))) },
  sqrt: { f: sqrt, curvature: (y) => div(-0.5, square(y)) },
  abs: { f: abs, curvature: 'zero' },
  relu: { f: relu, curvature: 'zero' },
  leakyRelu: { f: (x, alpha) => leakyRelu(x, { negativeSlope: alpha }), curvature: 'zero' },
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
