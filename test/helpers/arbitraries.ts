import { Generator, type PaddingOption, type Pair, type Tensor, tensor } from '@firelight/tensor';
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

const pair = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.oneof(fc.integer({ min, max }), fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })));

/** Every form of the padding option, up to `max` pixels. */
function paddings(max: number): fc.Arbitrary<PaddingOption> {
  const pixels = fc.nat({ max });
  return fc.oneof(
    pixels,
    fc.tuple(pixels, pixels),
    fc.tuple(pixels, pixels, pixels, pixels),
    fc.constantFrom('same' as const, 'valid' as const),
  );
}

/** Shapes and options of a convolution that fits, over all strides, paddings, dilations and groups. */
export const convolutionsWith = ({ maxGroupChannels }: { readonly maxGroupChannels: number }) =>
  fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      groups: fc.integer({ min: 1, max: 3 }),
      groupIn: fc.integer({ min: 1, max: maxGroupChannels }),
      groupOut: fc.integer({ min: 1, max: maxGroupChannels }),
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      size: fc.tuple(fc.integer({ min: 5, max: 8 }), fc.integer({ min: 5, max: 8 })),
      stride: pair(1, 3),
      dilation: pair(1, 2),
      padding: paddings(2),
      hasBias: fc.boolean(),
      seed: seeds,
    })
    .map(({ batch, groups, groupIn, groupOut, kernel, size, ...rest }) => ({
      x: [batch, groups * groupIn, ...size],
      weight: [groups * groupOut, groupIn, ...kernel],
      groups,
      ...rest,
    }));

export const convolutions = convolutionsWith({ maxGroupChannels: 2 });

/** Shape and options of a pooling that fits. */
export const poolings = fc
  .record({
    shape: fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 4, max: 8 }),
      fc.integer({ min: 4, max: 8 }),
    ),
    kernelSize: pair(2, 3),
    stride: pair(1, 3),
    padding: paddings(1),
    ceilMode: fc.boolean(),
    seed: seeds,
  })
  .map(({ shape, seed, ...options }) => ({ shape, seed, options }));
