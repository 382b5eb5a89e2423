import type { Kernels, UnaryOp } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { chunks, forVectors } from '../loops/flat-arrays.ts';
import { exponential, logarithm } from './functions.ts';

/** y = f(x): the result replaces `x`. */
type UnaryFunction = (f: FunctionBuilder, x: Local<Floats>, alpha: Floats) => void;
/** g · f′, from what UNARY_GRAD_FROM names: the result replaces `saved`. */
type Derivative = (f: FunctionBuilder, saved: Local<Floats>, g: Floats, alpha: Floats) => void;

const zero = splat(0);

const FUNCTIONS: Readonly<Record<UnaryOp, UnaryFunction>> = {
  neg: (_, x) => x.set(x.negated()),
  exp: (f, x) => exponential(f, x),
  log: logarithm,
  sqrt: (_, x) => x.set(x.sqrt()),
  abs: (_, x) => x.set(x.abs()),
  relu: (_, x) => x.set(x.positivePart()),
  leakyRelu: (_, x, alpha) => x.set(x.lessThan(zero).select(alpha.times(x), x)),
};

const DERIVATIVES: Readonly<Record<UnaryOp, Derivative>> = {
  neg: (_, y, g) => y.set(g.negated()),
  exp: (_, y, g) => y.set(g.times(y)),
  log: (_, x, g) => x.set(g.dividedBy(x)),
  sqrt: (_, y, g) => y.set(g.dividedBy(y.plus(y))),
  abs(f, x, g) {
    const negative = x.lessThan(zero).select(f.constants.splat(-1), zero);
    x.set(x.greaterThan(zero).select(f.constants.splat(1), negative).times(g));
  },
  relu: (_, y, g) => y.set(y.atMost(zero).select(zero, g)),
  leakyRelu: (_, x, g, alpha) => x.set(x.greaterThan(zero).select(g, alpha.times(g))),
};

function defineUnary(name: string, apply: UnaryFunction) {
  return defineTask(
    name,
    { x: 'address', y: 'address', count: 'i32', alpha: 'f32' },
    (f, { x, y, count, alpha }, { index }) => {
      const alphas = f.f32x4(splat(alpha));
      const value = f.floats();
      forVectors(f, count, index, [x, y], () => {
        value.set(f.load(x));
        apply(f, value, alphas);
        f.store(y, value);
      });
    },
  );
}

function defineDerivative(name: string, apply: Derivative) {
  return defineTask(
    name,
    { saved: 'address', gradOut: 'address', gradIn: 'address', count: 'i32', alpha: 'f32' },
    (f, { saved, gradOut, gradIn, count, alpha }, { index }) => {
      const alphas = f.f32x4(splat(alpha));
      const value = f.floats();
      const gradient = f.floats();
      forVectors(f, count, index, [saved, gradOut, gradIn], () => {
        value.set(f.load(saved));
        gradient.set(f.load(gradOut));
        apply(f, value, gradient, alphas);
        f.store(gradIn, value);
      });
    },
  );
}

function mapOps<From, To>(
  ops: Readonly<Record<UnaryOp, From>>,
  map: (op: string, from: From) => To,
): Readonly<Record<UnaryOp, To>> {
  const entries = Object.entries(ops).map(([op, from]) => [op, map(op, from)] as const);
  return Object.fromEntries(entries) as Record<UnaryOp, To>; // The same keys as `ops`.
}

const unaryTasks = mapOps(FUNCTIONS, defineUnary);
const derivativeTasks = mapOps(DERIVATIVES, (op, apply) => defineDerivative(`${op}Grad`, apply));

export const unaryFunctions: Pick<Kernels, 'unary' | 'unaryGrad'> = {
  unary: (op, x, alpha) =>
    inFrame((frame) => {
      const y = frame.output(x.shape);
      const values = { x: frame.input(x), y: y.address, count: x.size, alpha };
      frame.run(unaryTasks[op], chunks(x.size), values);
      return y.array;
    }),

  unaryGrad: (op, saved, gradOut, alpha) =>
    inFrame((frame) => {
      const gradIn = frame.output(saved.shape);
      frame.run(derivativeTasks[op], chunks(saved.size), {
        saved: frame.input(saved),
        gradOut: frame.input(gradOut),
        gradIn: gradIn.address,
        count: saved.size,
        alpha,
      });
      return gradIn.array;
    }),
};
