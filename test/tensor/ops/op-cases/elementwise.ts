import {
  add,
  cast,
  div,
  greater,
  maximum,
  minimum,
  mod,
  mul,
  pow,
  sub,
  type Tensor,
  tensor,
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
import { POINTWISE_FUNCTIONS } from '../pointwise-functions.ts';
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

/** Odd multiples of ¼, and ±1: quotients that are far from whole. */
const betweenQuarters: Fill = (shape, seed) =>
  tensor(normal(shape, seed).data.map((x) => Math.floor(4 * x) / 2 + 0.25) as Float64Array, {
    shape,
  });
const signs: Fill = (shape, seed) =>
  tensor(normal(shape, seed).data.map((x) => (x < 0 ? -1 : 1)) as Float64Array, { shape });

export const elementwiseCases: readonly OpCase[] = [
  ...Object.entries(UNARY_FUNCTIONS).map(([op, { run, fill }]) => unary(op, run, fill)),
  ...Object.entries(POINTWISE_FUNCTIONS).map(([op, { run, fill }]) => unary(op, run, fill)),
  binary('mod', mod, betweenQuarters, signs),
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
