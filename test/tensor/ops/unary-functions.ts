import {
  abs,
  exp,
  gelu,
  leakyRelu,
  log,
  neg,
  relu,
  sigmoid,
  silu,
  sqrt,
  type Tensor,
  tanh,
} from '@firelight/tensor';
import type { UnaryOp } from '../../../packages/tensor/src/backend/contract.ts';
import { awayFromZero, normal, positive } from '../../helpers/arbitraries.ts';

/** A function of each element alone, as all tests of such functions call it. */
interface UnaryCase {
  readonly run: (x: Tensor) => Tensor;
  /** Numbers around which it can be differentiated; those of N(0, 1) unless said otherwise. */
  readonly fill: (shape: readonly number[], seed: number) => Tensor;
  /** What its gradient is computed from. */
  readonly kept: 'inputs' | 'output' | 'nothing';
}

/** Those whose kernels stand beside the operation, not in the contract. */
export const WITH_OWN_KERNELS = ['gelu', 'sigmoid', 'silu', 'tanh'] as const;

type Name = UnaryOp | (typeof WITH_OWN_KERNELS)[number];

/** All of them: an operation of the contract that is missing here does not compile. */
export const UNARY_FUNCTIONS: Readonly<Record<Name, UnaryCase>> = {
  abs: { run: abs, fill: awayFromZero, kept: 'inputs' },
  exp: { run: exp, fill: normal, kept: 'output' },
  gelu: { run: gelu, fill: normal, kept: 'inputs' },
  leakyRelu: {
    run: (x) => leakyRelu(x, { negativeSlope: 0.25 }),
    fill: awayFromZero,
    kept: 'inputs',
  },
  log: { run: log, fill: positive, kept: 'inputs' },
  neg: { run: neg, fill: normal, kept: 'nothing' },
  relu: { run: relu, fill: awayFromZero, kept: 'output' },
  sigmoid: { run: sigmoid, fill: normal, kept: 'inputs' },
  silu: { run: silu, fill: normal, kept: 'inputs' },
  sqrt: { run: sqrt, fill: positive, kept: 'output' },
  tanh: { run: tanh, fill: normal, kept: 'inputs' },
};

/** The same as pairs of name and function. */
export const UNARY_ENTRIES = Object.entries(UNARY_FUNCTIONS).map(
  ([name, { run }]) => [name as Name, run] as const,
);
