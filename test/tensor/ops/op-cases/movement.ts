import {
  add,
  broadcastTo,
  concat,
  gather,
  greater,
  mul,
  pad,
  permute,
  reshape,
  scatterNd,
  slice,
  stack,
  tensor,
  transpose,
} from '@firelight/tensor';
import fc from 'fast-check';
import { distinct, normal, seeds, shapes } from '../../../helpers/arbitraries.ts';
import type { OpCase } from './op-case.ts';

const ranked = shapes({ minRank: 1, maxRank: 4 });

/** A shape with one of its axes. */
const withAxis = ranked.chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat({ max: shape.length - 1 }), seed: seeds }),
);

export const movementCases: readonly OpCase[] = [
  {
    op: 'reshape',
    calls: fc.tuple(ranked, seeds).map(([shape, seed]) => ({
      inputs: [normal(shape, seed)],
      run: (x) => reshape(x, [-1, shape[0]]),
    })),
  },
  {
    op: 'permute',
    calls: fc.tuple(ranked, seeds).chain(([shape, seed]) => {
      const axes = shape.map((_, axis) => axis);
      return fc.shuffledSubarray(axes, { minLength: axes.length }).map((order) => ({
        inputs: [normal(shape, seed)],
        run: (x) => permute(x, order),
      }));
    }),
  },
  {
    op: 'permute',
    calls: fc.tuple(shapes({ minRank: 2 }), seeds).map(([shape, seed]) => ({
      inputs: [normal(shape, seed)],
      run: (x) => transpose(x, 0, -1),
    })),
  },
  {
    op: 'concat',
    calls: withAxis.map(({ shape, axis, seed }) => ({
      inputs: [1, 2, 3].map((length) =>
        normal(
          shape.map((old, i) => (i === axis ? length : old)),
          seed + length,
        ),
      ),
      run: (...inputs) => concat(inputs, axis),
    })),
  },
  {
    op: 'concat',
    calls: withAxis.map(({ shape, axis, seed }) => ({
      inputs: [normal(shape, seed), normal(shape, seed + 1)],
      run: (...inputs) => stack(inputs, axis - shape.length),
    })),
  },
  {
    op: 'slice',
    calls: fc
      .tuple(
        shapes({ minRank: 1, maxRank: 3, maxLength: 6 }),
        fc.array(fc.tuple(fc.integer({ min: -7, max: 7 }), fc.constantFrom(1, 1, 2, 3, -1, -2)), {
          minLength: 3,
          maxLength: 3,
        }),
        seeds,
      )
      .map(([shape, cuts, seed]) => ({
        inputs: [normal(shape, seed)],
        run: (x) =>
          slice(
            x,
            shape.map((_, axis) => [cuts[axis][0], null, cuts[axis][1]]),
          ),
      })),
  },
  {
    op: 'pad',
    calls: fc
      .tuple(
        shapes({ minRank: 1, maxRank: 3 }),
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })), { minLength: 3, maxLength: 3 }),
        seeds,
      )
      .map(([shape, margins, seed]) => ({
        inputs: [normal(shape, seed)],
        run: (x) => pad(x, margins.slice(0, shape.length), { value: 3 }),
      })),
  },
  {
    op: 'gather',
    calls: withAxis.chain(({ shape, axis, seed }) =>
      fc.array(fc.nat({ max: shape[axis] - 1 }), { minLength: 1, maxLength: 6 }).map((rows) => ({
        inputs: [normal(shape, seed)],
        run: (x) => gather(x, tensor(rows, { dtype: 'int32' }), axis),
      })),
    ),
  },
  ...(['multiply', 'max', 'min'] as const).map(
    (reduction): OpCase => ({
      op: 'scatter',
      calls: fc
        .tuple(
          fc.array(fc.integer({ min: -2, max: 1 }), { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 3 }),
          seeds,
          fc.boolean(),
        )
        .map(([at, width, seed, hasZeros]) => {
          // None are equal, and of factors some are 0.
          const fill = (rows: number, by: number) => {
            const x = add(distinct([rows, width], seed + by), 0.03 * by);
            return reduction === 'multiply' && hasZeros ? mul(x, greater(x, 0)) : x;
          };
          return {
            inputs: [fill(2, 1), fill(at.length, 2)],
            run: (x, source) => {
              const places = at.map((row) => [row]);
              const y = scatterNd(x, places, source, { reduction });
              // So that not all of a gradient is 0.
              return reduction === 'multiply' ? add(y, x) : y;
            },
          };
        }),
    }),
  ),
  {
    op: 'broadcastTo',
    calls: withAxis.map(({ shape, axis, seed }) => ({
      inputs: [
        normal(
          shape.map((length, i) => (i === axis ? 1 : length)),
          seed,
        ),
      ],
      run: (x) => broadcastTo(x, [2, ...shape]),
    })),
  },
];
