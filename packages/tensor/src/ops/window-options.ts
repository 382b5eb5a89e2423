import { shapeError, ValueError } from '../core/errors.ts';
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

export interface WindowOptions {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: PaddingOption;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
}

function expectAtLeast(op: string, name: string, values: readonly number[], least: number): void {
  if (!values.every((value) => Number.isInteger(value) && value >= least)) {
    throw new ValueError(
      `${op}: ${name} must be integers ≥ ${least}, got ${values.length === 1 ? values[0] : `[${values.join(', ')}]`}`,
    );
  }
}

/** The explicit numbers of a padding option; empty for the named ones. */
function expectPadding(op: string, padding: PaddingOption): void {
  if (padding === 'same' || padding === 'valid') return;
  const numbers = typeof padding === 'number' ? [padding] : padding;
  const isList = Array.isArray(numbers) && [1, 2, 4].includes(numbers.length);
  if (!isList) {
    throw new ValueError(
      `${op}: padding must be a number, [h, w], [top, bottom, left, right], 'same' or 'valid', ` +
        `got ${JSON.stringify(padding)}`,
    );
  }
  expectAtLeast(op, 'padding', numbers, 0);
}

/**
 * Checks the options of a convolution or pooling and works out the padding and output size on an
 * input `[N, C, H, W]`.
 *
 * @throws ValueError for numbers out of range; ShapeError if the window does not fit into the input
 */
export function resolveWindow(op: string, inputShape: Shape, options: WindowOptions): Window2d {
  const kernel = asPair(options.kernelSize);
  const stride = asPair(options.stride);
  const dilation = asPair(options.dilation);
  expectAtLeast(op, 'kernelSize', kernel, 1);
  expectAtLeast(op, 'stride', stride, 1);
  expectAtLeast(op, 'dilation', dilation, 1);
  expectPadding(op, options.padding);

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
