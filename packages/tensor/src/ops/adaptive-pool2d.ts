import type { Tensor } from '../autograd/tensor.ts';
import { BandMatrix } from '../core/band-matrix.ts';
import { expectShape } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import type { Pair } from '../core/window.ts';
import { tensor } from './create.ts';
import { gather } from './gather.ts';
import { multiplyAxis } from './multiply-axis.ts';
import { asTensor, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { avgPool2d, maxPool2d, type Pool2dOptions } from './pool2d.ts';
import { resolvePair } from './window-options.ts';

/** Window i of `out` over an axis of `size`: [⌊i · size / out⌋, ⌈(i + 1) · size / out⌉). */
function windowsOf(size: number, out: number): readonly (readonly [first: number, end: number])[] {
  return Array.from({ length: out }, (_, i) => [
    Math.floor((i * size) / out),
    Math.ceil(((i + 1) * size) / out),
  ]);
}

function readSizes(op: string, x: Tensor, outputSize: Pair): readonly [number, number] {
  expectRank(op, 'input', x, 'N, C, H, W');
  const sizes = resolvePair(op, 'outputSize', outputSize);
  expectShape(op, [x.shape[0], x.shape[1], ...sizes]);
  if (x.shape[2] === 0 || x.shape[3] === 0) {
    throw shapeError(op, 'needs images of at least one pixel', {
      input: { shape: x.shape, layout: 'N, C, H, W' },
    });
  }
  return sizes;
}

/** The options of a pooling whose windows are all alike; null where they are not. */
function evenWindows(
  [, , H, W]: readonly number[],
  [outHeight, outWidth]: readonly [number, number],
): Pool2dOptions | null {
  if (H % outHeight !== 0 || W % outWidth !== 0) return null;
  return { kernelSize: [H / outHeight, W / outWidth] };
}

/** The matrix [out, size] that takes the mean of each window of an axis. */
function meanMatrix(size: number, out: number): BandMatrix {
  const rows = windowsOf(size, out).map(([first, end]) => ({
    first,
    weights: new Array<number>(end - first).fill(1 / (end - first)),
  }));
  return new BandMatrix(`means of ${out} windows of ${size}`, size, rows);
}

/**
 * Mean of each of H′ × W′ windows that cover the image: window i of an axis of length L reads
 * [⌊i · L / L′⌋, ⌈(i + 1) · L / L′⌉), so neighbours overlap where L′ does not divide L.
 *
 * @param x `[N, C, H, W]`
 * @param outputSize `[H', W']`, or one number for both
 * @returns `[N, C, H', W']`
 * @throws ShapeError unless `x` has 4 axes and images have pixels; ValueError unless sizes are ≥ 1
 * @see torch.nn.AdaptiveAvgPool2d
 */
export function adaptiveAvgPool2d(x: TensorLike, outputSize: Pair): Tensor {
  const input = asTensor('adaptiveAvgPool2d', 'x', x);
  expectSameFloating('adaptiveAvgPool2d', { input });
  const sizes = readSizes('adaptiveAvgPool2d', input, outputSize);
  const even = evenWindows(input.shape, sizes);
  if (even !== null) return avgPool2d(input, even);
  const [, , H, W] = input.shape;
  const narrow = multiplyAxis(input, { axis: 3, matrix: meanMatrix(W, sizes[1]) });
  return multiplyAxis(narrow, { axis: 2, matrix: meanMatrix(H, sizes[0]) });
}

/**
 * An axis on which its windows, made equally long, lie one after the other. Shorter ones repeat their last
 * element: that changes no maximum, nor which element is the first of the largest.
 */
function withEvenWindows(x: Tensor, axis: number, out: number): { x: Tensor; length: number } {
  const windows = windowsOf(x.shape[axis], out);
  const length = windows.reduce((most, [first, end]) => Math.max(most, end - first), 0);
  const places = windows.flatMap(([first, end]) =>
    Array.from({ length }, (_, k) => Math.min(first + k, end - 1)),
  );
  return { x: gather(x, tensor(places, { dtype: 'int32' }), axis), length };
}

/**
 * Largest element of each of H′ × W′ windows that cover the image, the windows of
 * `adaptiveAvgPool2d`; the gradient goes to the first largest in row-major order.
 *
 * @param x `[N, C, H, W]` of any dtype
 * @param outputSize `[H', W']`, or one number for both
 * @returns `[N, C, H', W']`
 * @throws ShapeError unless `x` has 4 axes and images have pixels; ValueError unless sizes are ≥ 1
 * @see torch.nn.AdaptiveMaxPool2d
 */
export function adaptiveMaxPool2d(x: TensorLike, outputSize: Pair): Tensor {
  const input = asTensor('adaptiveMaxPool2d', 'x', x);
  const sizes = readSizes('adaptiveMaxPool2d', input, outputSize);
  const even = evenWindows(input.shape, sizes);
  if (even !== null) return maxPool2d(input, even);
  const rows = withEvenWindows(input, 2, sizes[0]);
  const both = withEvenWindows(rows.x, 3, sizes[1]);
  return maxPool2d(both.x, { kernelSize: [rows.length, both.length] });
}
