import { expectBoolean, expectShape, expectThat } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import {
  asPair,
  type PaddingOption,
  type Pair,
  resolvePadding,
  spanOf,
  type Window2d,
  windowCount,
} from '../core/window.ts';

/** How a window moves over images; see `Conv2dOptions` and `Pool2dOptions`. */
export interface WindowOptions {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: PaddingOption;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
}

/** Far beyond any image, and small enough that sums and products of such numbers stay exact. */
export const MOST = 2 ** 24;

/** Throws a `ValueError` unless all are integers from `least` to 2^24. */
function expectIntegers(op: string, name: string, values: readonly unknown[], least: number): void {
  const shown = values.length === 1 ? values[0] : values;
  // Array.from, because `every` passes over the holes of a sparse list.
  const areIntegers = Array.from(values).every(
    (value) => Number.isInteger(value) && Number(value) >= least,
  );
  expectThat(areIntegers, op, name, `integers ≥ ${least}`, shown);
  expectThat(
    values.every((value) => Number(value) <= MOST),
    op,
    name,
    `at most ${MOST}`,
    shown,
  );
}

/** A pair option as `[height, width]`. */
export function resolvePair(
  op: string,
  name: string,
  value: Pair,
  least = 1,
): readonly [number, number] {
  const isForm = typeof value === 'number' || (Array.isArray(value) && value.length === 2);
  expectThat(isForm, op, name, 'a number or [h, w]', value);
  const pair = asPair(value);
  expectIntegers(op, name, pair, least);
  return pair;
}

function expectPadding(op: string, padding: PaddingOption): void {
  if (padding === 'same' || padding === 'same-lower' || padding === 'valid') return;
  const isList = Array.isArray(padding) && [2, 4].includes(padding.length);
  expectThat(
    isList || typeof padding === 'number',
    op,
    'padding',
    "a number, [h, w], [top, bottom, left, right], 'same', 'same-lower' or 'valid'",
    padding,
  );
  expectIntegers(op, 'padding', typeof padding === 'number' ? [padding] : padding, 0);
}

/** Throws a `ValueError` for options of a convolution or pooling that no image would fit. */
export function expectWindow(op: string, options: WindowOptions): void {
  resolvePair(op, 'kernelSize', options.kernelSize);
  resolvePair(op, 'stride', options.stride);
  resolvePair(op, 'dilation', options.dilation);
  expectPadding(op, options.padding);
  expectBoolean(op, 'ceilMode', options.ceilMode);
}

/**
 * Checks the options of a convolution or pooling and works out the padding and output size on an
 * input `[N, C, H, W]`.
 *
 * @throws ValueError for numbers out of range; ShapeError if the window does not fit into the input
 */
export function resolveWindow(op: string, inputShape: Shape, options: WindowOptions): Window2d {
  expectWindow(op, options);
  const kernel = asPair(options.kernelSize);
  const stride = asPair(options.stride);
  const dilation = asPair(options.dilation);
  const [H, W] = [inputShape[2], inputShape[3]];
  const span = [spanOf(kernel[0], dilation[0]), spanOf(kernel[1], dilation[1])] as const;
  const padding = resolvePadding(options.padding, [H, W], span, stride);
  const { top, bottom, left, right } = padding;
  const outHeight = windowCount(H, [top, bottom], span[0], stride[0], options);
  const outWidth = windowCount(W, [left, right], span[1], stride[1], options);
  if (outHeight < 1 || outWidth < 1) {
    throw shapeError(
      op,
      `a window of ${span[0]} × ${span[1]} does not fit into the input of ${H} × ${W} ` +
        `with padding ${top + bottom} × ${left + right}; use a larger image, a smaller kernel or padding`,
      { input: { shape: inputShape, layout: 'N, C, H, W' } },
    );
  }
  expectShape(op, [inputShape[0], outHeight, outWidth]);
  return {
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
    padding,
    outHeight,
    outWidth,
  };
}
