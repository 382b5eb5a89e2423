import type { PaddingOption, Pair } from '@firelight/tensor';
import fc from 'fast-check';
import {
  asPair,
  resolvePadding,
  spanOf,
  windowCount,
} from '../../packages/tensor/src/core/window.ts';
import { seeds } from './arbitraries.ts';

/** Random windows of convolutions and poolings: every size, stride, padding and dilation. */

const MAX_BATCH = 40;
const MAX_PLANE = 40;
const MAX_KERNEL = 9;
const MAX_STRIDE = 4;
const MAX_DILATION = 3;
const MAX_PADDING = 4;

/** A number for both axes, or one for each. */
export const pair = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.oneof(fc.integer({ min, max }), fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })));

/** Every form of the padding option, up to `max` pixels. */
function paddings(max: number): fc.Arbitrary<PaddingOption> {
  const pixels = fc.nat({ max });
  return fc.oneof(
    pixels,
    fc.tuple(pixels, pixels),
    fc.tuple(pixels, pixels, pixels, pixels),
    fc.constantFrom('same' as const, 'same-lower' as const, 'valid' as const),
  );
}

/**
 * Lengths from 1 to their maxima, small ones more often, whose product is at most `budget`. They are
 * chosen in random order, so that each reaches its maximum beside small others.
 */
function boundedLengths<Name extends string>(
  maxima: Readonly<Record<Name, number>>,
  budget: number,
): fc.Arbitrary<Record<Name, number>> {
  const names = Object.keys(maxima) as Name[]; // The keys of `maxima`.
  const share = fc.nat({ max: 1000 }).map((part) => part / 1000);
  return fc
    .record({
      order: fc.shuffledSubarray(names, { minLength: names.length }),
      shares: fc.array(share, { minLength: names.length, maxLength: names.length }),
    })
    .map(({ order, shares }) => {
      let left = budget;
      const lengths = order.map((name, i) => {
        const length = Math.round(Math.min(maxima[name], left) ** shares[i]);
        left = Math.floor(left / length);
        return [name, length] as const;
      });
      return Object.fromEntries(lengths) as Record<Name, number>; // One for each name.
    });
}

/** The least length of an axis into which a window fits, with its padding. */
function leastSize(padding: PaddingOption, spans: readonly [number, number]): [number, number] {
  if (padding === 'same' || padding === 'same-lower') return [1, 1];
  const { top, bottom, left, right } = resolvePadding(padding, [0, 0], spans, [1, 1]);
  return [Math.max(1, spans[0] - top - bottom), Math.max(1, spans[1] - left - right)];
}

export interface Limits {
  /** Most channels of a group, in and out. */
  readonly maxGroupChannels: number;
  /** About as many products as the convolution may take, and elements its input. */
  readonly budget: number;
  /** Only kernels of 3 × 3 without stride, dilation and groups, as Winograd's algorithm takes them. */
  readonly isFor3x3?: boolean;
}

/** Groups of one channel in, and few channels out. */
const depthwiseChannels = fc.record({
  groups: fc.integer({ min: 2, max: 6 }),
  groupIn: fc.constant(1),
  groupOut: fc.integer({ min: 1, max: 3 }),
});

/** Shapes and options of a convolution that fits. */
export const convolutionsWith = ({ maxGroupChannels, budget, isFor3x3 = false }: Limits) =>
  fc
    .record({
      groups: isFor3x3 ? fc.constant(1) : fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 3 })),
      depthwise: isFor3x3 ? fc.constant(null) : fc.option(depthwiseChannels),
      lengths: boundedLengths(
        {
          batch: MAX_BATCH,
          groupIn: maxGroupChannels,
          groupOut: maxGroupChannels,
          kernelHeight: isFor3x3 ? 1 : MAX_KERNEL,
          kernelWidth: isFor3x3 ? 1 : MAX_KERNEL,
          height: MAX_PLANE,
          width: MAX_PLANE,
        },
        isFor3x3 ? budget / 9 : budget,
      ),
      stride: isFor3x3 ? fc.constant(1) : pair(1, MAX_STRIDE),
      dilation: isFor3x3 ? fc.constant(1) : pair(1, MAX_DILATION),
      padding: paddings(MAX_PADDING),
      hasBias: fc.boolean(),
      seed: seeds,
    })
    .map(({ depthwise, lengths, stride, dilation, padding, hasBias, seed, ...rest }) => {
      const { batch, height, width } = lengths;
      const { groups, groupIn, groupOut } = depthwise ?? { ...lengths, groups: rest.groups };
      const kernelHeight = isFor3x3 ? 3 : lengths.kernelHeight;
      const kernelWidth = isFor3x3 ? 3 : lengths.kernelWidth;
      const [rows, columns] = asPair(dilation);
      const spans = [spanOf(kernelHeight, rows), spanOf(kernelWidth, columns)] as const;
      const least = leastSize(padding, spans);
      const size = [height, width].map((more, i) => Math.min(MAX_PLANE, least[i] + more - 1));
      const elements = groups * groupIn * size[0] * size[1];
      return {
        x: [Math.min(batch, Math.ceil(budget / elements)), groups * groupIn, size[0], size[1]],
        weight: [groups * groupOut, groupIn, kernelHeight, kernelWidth],
        groups,
        stride,
        dilation,
        padding,
        hasBias,
        seed,
      };
    });

/** Shape and options of one of the convolutions of an input. */
export interface Branch {
  readonly weight: readonly number[];
  readonly groups: number;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: PaddingOption;
}

/** Zeros before and after an axis that make a window of that span give `count` outputs, if any do. */
function paddingFor(
  size: number,
  count: number,
  span: number,
  stride: number,
): [number, number] | null {
  const missing = Math.max(0, (count - 1) * stride + span - size);
  const padding: [number, number] = [missing >> 1, missing - (missing >> 1)];
  return windowCount(size, padding, span, stride) === count ? padding : null;
}

/** The same with further convolutions of the same input, where they have the same output size. */
export const branchesWith = (limits: Limits) =>
  fc
    .record({
      first: convolutionsWith(limits),
      others: fc.array(
        fc.record({
          outChannels: fc.integer({ min: 1, max: 3 }),
          isGrouped: fc.boolean(),
          kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
          dilation: pair(1, MAX_DILATION),
        }),
        { maxLength: 2 },
      ),
    })
    .map(({ first: { x, hasBias, seed, ...first }, others }) => {
      const [, channels, height, width] = x;
      const stride = asPair(first.stride);
      const spansOf = (kernel: readonly number[], dilation: Pair) =>
        asPair(dilation).map((step, i) => spanOf(kernel[i], step)) as [number, number];
      const spans = spansOf(first.weight.slice(2), first.dilation);
      const { top, bottom, left, right } = resolvePadding(
        first.padding,
        [height, width],
        spans,
        stride,
      );
      const outHeight = windowCount(height, [top, bottom], spans[0], stride[0]);
      const outWidth = windowCount(width, [left, right], spans[1], stride[1]);
      const branches: Branch[] = [first];
      for (const { outChannels, isGrouped, kernel, dilation } of others) {
        const [spanHeight, spanWidth] = spansOf(kernel, dilation);
        const rows = paddingFor(height, outHeight, spanHeight, stride[0]);
        const columns = paddingFor(width, outWidth, spanWidth, stride[1]);
        if (rows === null || columns === null) continue;
        const groups = isGrouped ? first.groups : 1;
        const weight = [groups * outChannels, channels / groups, ...kernel];
        const padding = [...rows, ...columns] as const;
        branches.push({ weight, groups, stride, dilation, padding });
      }
      return { x, branches, hasBias, seed };
    });

/** Shape and options of a pooling that fits, over at most about `budget` elements. */
export const poolingsWith = ({ budget }: { readonly budget: number }) =>
  fc
    .record({
      lengths: boundedLengths(
        {
          batch: MAX_BATCH,
          channels: 5,
          kernelHeight: MAX_KERNEL,
          kernelWidth: MAX_KERNEL,
          height: MAX_PLANE,
          width: MAX_PLANE,
        },
        budget,
      ),
      stride: pair(1, MAX_STRIDE),
      padding: paddings(MAX_KERNEL - 1),
      dilation: fc.oneof(fc.constant(1), pair(1, MAX_DILATION)),
      ceilMode: fc.boolean(),
      seed: seeds,
    })
    .map(({ lengths, padding, seed, ...rest }) => {
      const { batch, channels, height, width, ...kernel } = lengths;
      const kernelSize = [kernel.kernelHeight, kernel.kernelWidth] as const;
      const [rows, columns] = asPair(rest.dilation);
      const spans = [spanOf(kernelSize[0], rows), spanOf(kernelSize[1], columns)] as const;
      const fitting = smallerThan(padding, kernelSize);
      // Without dilation all windows hold pixels; with it those of an image as long as the window do.
      const isDilated = rows > 1 || columns > 1;
      const least = isDilated ? spans : leastSize(fitting, kernelSize);
      const size = [height, width].map((more, i) => Math.min(MAX_PLANE, least[i] + more - 1));
      const images = Math.min(batch, Math.ceil(budget / (channels * size[0] * size[1])));
      const options = { kernelSize, padding: fitting, ...rest };
      return { shape: [images, channels, size[0], size[1]], seed, options };
    });

/** The padding cut so that no window lies in it. */
function smallerThan(
  padding: PaddingOption,
  [kernelHeight, kernelWidth]: readonly [number, number],
): PaddingOption {
  if (typeof padding === 'string') return padding;
  const [mostRows, mostColumns] = [kernelHeight - 1, kernelWidth - 1];
  if (typeof padding === 'number') return Math.min(padding, mostRows, mostColumns);
  if (padding.length === 2) {
    return [Math.min(padding[0], mostRows), Math.min(padding[1], mostColumns)];
  }
  const [top, bottom, left, right] = padding;
  return [
    Math.min(top, mostRows),
    Math.min(bottom, mostRows),
    Math.min(left, mostColumns),
    Math.min(right, mostColumns),
  ];
}
