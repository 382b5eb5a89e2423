import { type InterpolateOptions, interpolate, type Tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { normal, seeds, shapes } from '../../../helpers/arbitraries.ts';
import type { OpCase } from './op-case.ts';

/** Where `interpolate` takes some axes of some shape. */
interface Resizing {
  readonly shape: readonly number[];
  readonly options: InterpolateOptions;
}

const AXES = 4;
const one = <const Value>(...values: readonly Value[]): fc.Arbitrary<Value> =>
  fc.constantFrom(...values);
/** A draw for each axis. */
const each = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.array(values, { minLength: AXES, maxLength: AXES });

const drawn = fc.record({
  shape: shapes({ maxLength: 5 }),
  order: fc.shuffledSubarray([0, 1, 2, 3]),
  isNegative: fc.boolean(),
  lengths: each(fc.integer({ min: 1, max: 6 })),
  // Sums of many terms are computed in another way than those of few.
  longest: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 50 })),
  scales: each(fc.double({ min: 0.3, max: 4, noNaN: true })),
  given: one('size', 'scale', 'both'),
  mode: one('nearest', 'linear', 'cubic'),
  coordinates: one(
    'half-pixel',
    'half-pixel-symmetric',
    'pytorch-half-pixel',
    'align-corners',
    'asymmetric',
    'crop-and-resize',
  ),
  nearestRounding: one('floor', 'ceil', 'round-prefer-floor', 'round-prefer-ceil'),
  cubicCoefficient: one(-0.75, -0.5),
  antialias: fc.boolean(),
  excludeOutside: fc.boolean(),
  region: each(
    fc.tuple(
      fc.double({ min: -0.5, max: 1.5, noNaN: true }),
      fc.double({ min: -0.5, max: 1.5, noNaN: true }),
    ),
  ),
  extrapolationValue: one(0, 2.5),
});

/** Calls with all options, of axes in any order. */
export const resizings: fc.Arbitrary<Resizing> = drawn.map(
  ({ shape, order, isNegative, lengths, longest, scales, given, region, ...options }) => {
    const { mode, antialias, coordinates } = options;
    const axes = order.filter((axis) => axis < shape.length);
    const size = axes.map((_, i) => (i === 0 ? longest : lengths[i]));
    const scale = axes.map((axis, i) => Math.max(scales[i], 1 / shape[axis]));
    return {
      shape,
      options: {
        ...options,
        antialias: antialias && mode !== 'nearest',
        axes: axes.map((axis) => (isNegative ? axis - shape.length : axis)),
        ...(given === 'scale' ? {} : { size }),
        ...(given === 'size' ? {} : { scale }),
        ...(coordinates === 'crop-and-resize' ? { region: region.slice(0, axes.length) } : {}),
      },
    };
  },
);

/** Images by the defaults of each mode. */
const images = fc
  .record({
    shape: shapes({ minRank: 3, maxRank: 5, maxLength: 3 }),
    length: fc.integer({ min: 1, max: 6 }),
    scale: fc.double({ min: 1, max: 2.5, noNaN: true }),
    isScaled: fc.boolean(),
    mode: one('nearest', 'linear', 'cubic'),
  })
  .map(
    ({ shape, length, scale, isScaled, mode }): Resizing => ({
      shape,
      options: { mode, ...(isScaled ? { scale } : { size: length }) },
    }),
  );

const called = (resizing: fc.Arbitrary<Resizing>): OpCase => ({
  op: 'multiplyAxis',
  calls: fc.tuple(resizing, seeds).map(([{ shape, options }, seed]) => ({
    inputs: [normal(shape, seed)],
    run: (x: Tensor) => interpolate(x, options),
  })),
});

export const resizingCases: readonly OpCase[] = [called(resizings), called(images)];
