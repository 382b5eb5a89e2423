import {
  add,
  cast,
  div,
  greater,
  maximum,
  minimum,
  mul,
  pow,
  sub,
  type Tensor,
  where,
} from '@firelight/tensor';
import fc from 'fast-check';
import {
  broadcastingShapes,
  distinct,
  normal,
  positive,
  seeds,
  shapes,
} from '../../../helpers/arbitraries.ts';
import { UNARY_FUNCTIONS } from '../unary-functions.ts';
import type { OpCase } from './op-case.ts';

type Fill = (shape: readonly number[], seed: number) => Tensor;

const unary = (op: string, run: (x: Tensor) => Tensor, fill: Fill): OpCase => ({
  op,
  calls: fc.tuple(shapes(), seeds).map(([shape, seed]) => ({ inputs: [fill(shape, seed)], run })),
});

const binary = (
  op: string,
  run: (a: Tensor, b: Tensor) => Tensor,
  fillA: Fill = normal,
  fillB: Fill = fillA,
): OpCase => ({
  op,
  calls: fc.tuple(broadcastingShapes, seeds).map(([{ a, b }, seed]) => ({
    inputs: [fillA(a, seed), fillB(b, seed + 1)],
    run,
  })),
});

/** Numbers halfway between those of `distinct`, so that none of both lists are equal. */
const between: Fill = (shape, seed) => add(distinct(shape, seed), 0.05);

export const elementwiseCases: readonly OpCase[] = [
  ...Object.entries(UNARY_FUNCTIONS).map(([op, { run, fill }]) => unary(op, run, fill)),
  unary('cast', (x) => mul(cast(cast(x, 'float64'), 'float64'), x), normal),
  binary('add', add),
  binary('sub', sub),
  binary('mul', mul),
  binary('div', div, normal, positive),
  binary('pow', pow, positive, normal),
  binary('maximum', maximum, distinct, between),
  binary('minimum', minimum, distinct, between),
  binary('where', (a, b) => where(greater(a, b), mul(a, 2), b), distinct, between),
];
