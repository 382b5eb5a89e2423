import { Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';

/** Seeds for the numbers inside tensors; the shapes come from fast-check. */
export const seeds = fc.nat({ max: 0xffff_ffff });

const count = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Lengths of axes, 1 to `maxLength` each. */
export function shapes({ minRank = 0, maxRank = 4, maxLength = 4 } = {}) {
  return fc.array(fc.integer({ min: 1, max: maxLength }), {
    minLength: minRank,
    maxLength: maxRank,
  });
}

/** Numbers of N(0, 1) in float64. */
export function normal(shape: readonly number[], seed: number): Tensor {
  return tensor(new Generator(seed).normal(count(shape)), { shape });
}

/** Numbers with |x| ≥ 0.3, for functions with a kink at 0. */
export function awayFromZero(shape: readonly number[], seed: number): Tensor {
  const values = new Generator(seed).normal(count(shape));
  return tensor(
    values.map((x) => x + 0.3 * (x < 0 ? -1 : 1)),
    { shape },
  );
}

/** Numbers in [0.5, 2.5), for functions of positive numbers. */
export function positive(shape: readonly number[], seed: number): Tensor {
  return tensor(new Generator(seed).uniform(count(shape), { low: 0.5, high: 2.5 }), { shape });
}

/** Numbers at least 0.1 apart from each other, for functions with a kink at ties. */
export function distinct(shape: readonly number[], seed: number): Tensor {
  const order = new Generator(seed).permutation(count(shape));
  return tensor(
    Float64Array.from(order, (rank) => 0.1 * rank - 1),
    { shape },
  );
}

/** Two shapes that broadcast: some axes of length 1, some missing in front. */
export const broadcastingShapes = shapes({ maxRank: 3 }).chain((shape) =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      fc.nat({ max: shape.length }),
    )
    .map(([onesA, onesB, dropped]) => ({
      a: shape.map((length, i) => (onesA[i] ? 1 : length)),
      b: shape.map((length, i) => (onesB[i] ? 1 : length)).slice(dropped),
    })),
);

/** Numbers in [0, 1), drawn evenly: `fc.double` leans to 0, which as a place is always the first. */
export const shares: fc.Arbitrary<number> = fc
  .nat({ max: 2 ** 30 - 1 })
  .map((number) => number / 2 ** 30);
