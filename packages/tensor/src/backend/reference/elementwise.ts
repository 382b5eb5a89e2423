import { type DType, isFloating, newTypedArray } from '../../core/dtype.ts';
import { castElements } from '../../core/elements.ts';
import { NdArray } from '../../core/ndarray.ts';
import { broadcastShapes, broadcastStrides, elementCount, sameShape } from '../../core/shape.ts';
import type { BinaryOp, CompareOp, Kernels, UnaryOp } from '../contract.ts';
import { offsetsOf } from '../offsets.ts';
import { positivePart, power, signOf } from './functions.ts';

/**
 * y = f(x), and g · f′ from what `UNARY_GRAD_FROM` names. Where f′ is 0 or 1 by a case, g is taken or
 * left, not multiplied, as 0 · ∞ would be NaN.
 */
interface UnaryFunction {
  f(x: number, alpha: number): number;
  gradient(saved: number, g: number, alpha: number): number;
}

const UNARY: Readonly<Record<UnaryOp, UnaryFunction>> = {
  neg: { f: (x) => -x, gradient: (_, g) => -g },
  exp: { f: Math.exp, gradient: (y, g) => g * y },
  log: { f: Math.log, gradient: (x, g) => g / x },
  sqrt: { f: Math.sqrt, gradient: (y, g) => g / (2 * y) },
  abs: { f: Math.abs, gradient: (x, g) => g * signOf(x) },
  relu: { f: positivePart, gradient: (y, g) => (y <= 0 ? 0 : g) },
  leakyRelu: {
    f: (x, alpha) => (x < 0 ? alpha * x : x),
    gradient: (x, g, alpha) => (x > 0 ? g : alpha * g),
  },
};

const BINARY: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

/** a^b modulo 2³² for b ≥ 0, by squaring. */
function integerPower(a: number, b: number): number {
  let result = 1;
  let factor = a;
  for (let rest = b; rest > 0; rest >>>= 1) {
    if (rest & 1) result = Math.imul(result, factor);
    factor = Math.imul(factor, factor);
  }
  return result;
}

/** Integers wrap modulo 2^bits; these would pass 2⁵³, beyond which doubles lose the lower bits. */
const INTEGER_BINARY: typeof BINARY = { ...BINARY, mul: Math.imul };

const COMPARE: Readonly<Record<CompareOp, (a: number, b: number) => boolean>> = {
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
};

/** out[i] = f(a[i], b[i]) with broadcasting; `f` may give a boolean for dtype bool. */
export function zip(
  a: NdArray,
  b: NdArray,
  dtype: DType,
  f: (a: number, b: number) => number | boolean,
): NdArray {
  const shape = sameShape(a.shape, b.shape)
    ? a.shape
    : (broadcastShapes(a.shape, b.shape) as number[]); // The op checked that they broadcast.
  const offsetsA = offsetsOf(shape, broadcastStrides(a.shape, shape));
  const offsetsB = offsetsOf(shape, broadcastStrides(b.shape, shape));
  const [dataA, dataB] = [a.data, b.data];
  const out = newTypedArray(dtype, elementCount(shape));
  for (let i = 0; i < out.length; i++) {
    out[i] = Number(f(dataA[offsetsA[i]], dataB[offsetsB[i]]));
  }
  return NdArray.fromTypedArray(out, shape, dtype);
}

export const unaryFunctions: Pick<Kernels, 'unary' | 'unaryGrad'> = {
  unary(op, x, alpha) {
    const { f } = UNARY[op];
    const data = x.data;
    const out = newTypedArray(x.dtype, data.length);
    for (let i = 0; i < out.length; i++) out[i] = f(data[i], alpha);
    return NdArray.fromTypedArray(out, x.shape, x.dtype);
  },

  unaryGrad(op, saved, gradOut, alpha) {
    const { gradient } = UNARY[op];
    const [data, grad] = [saved.data, gradOut.data];
    const out = newTypedArray(saved.dtype, data.length);
    for (let i = 0; i < out.length; i++) out[i] = gradient(data[i], grad[i], alpha);
    return NdArray.fromTypedArray(out, saved.shape, saved.dtype);
  },
};

export const binaryFunctions: Pick<Kernels, 'binary'> = {
  binary: (op, a, b) => zip(a, b, a.dtype, (isFloating(a.dtype) ? BINARY : INTEGER_BINARY)[op]),
};

export const powers: Pick<Kernels, 'power'> = {
  power: (a, b) => zip(a, b, a.dtype, isFloating(a.dtype) ? power : integerPower),
};

export const comparisons: Pick<Kernels, 'compare'> = {
  compare: (op, a, b) => zip(a, b, 'bool', COMPARE[op]),
};

export const choice: Pick<Kernels, 'where'> = {
  where(condition, a, b) {
    const values = broadcastShapes(a.shape, b.shape) as number[]; // The op checked that they do.
    const shape = broadcastShapes(condition.shape, values) as number[];
    const offsets = [condition, a, b].map((x) =>
      offsetsOf(shape, broadcastStrides(x.shape, shape)),
    );
    const [offsetsC, offsetsA, offsetsB] = offsets;
    const [chosen, dataA, dataB] = [condition.data, a.data, b.data];
    const out = newTypedArray(a.dtype, elementCount(shape));
    for (let i = 0; i < out.length; i++) {
      out[i] = chosen[offsetsC[i]] !== 0 ? dataA[offsetsA[i]] : dataB[offsetsB[i]];
    }
    return NdArray.fromTypedArray(out, shape, a.dtype);
  },
};

export const casts: Pick<Kernels, 'cast'> = {
  cast: (x, dtype) => NdArray.fromTypedArray(castElements(x.numbers, dtype), x.shape, dtype),
};
