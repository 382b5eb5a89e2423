import type { Tensor } from '../autograd/tensor.ts';
import { expectIntegerList, normalizeAxis } from '../core/checks.ts';
import { ShapeError } from '../core/errors.ts';
import { gatherOp, integers } from './gather.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';

/** x with the entries of one axis in another order. */
function reordered(x: Tensor, axis: number, from: (i: number, length: number) => number): Tensor {
  const length = x.shape[axis];
  const order = Int32Array.from({ length }, (_, i) => from(i, length));
  return gatherOp([x, integers(order, [length])], { axis });
}

/**
 * Turns the order of elements round along axes, all of them by default.
 *
 * @throws ValueError if an axis does not exist
 * @see numpy.flip
 */
export function flip(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const input = asAnyTensor('flip', 'x', x);
  const axes = axis === undefined ? input.shape.map((_, i) => i) : [axis].flat();
  expectIntegerList('flip', 'axis', axes);
  const unique = new Set(axes.map((one) => normalizeAxis('flip', one, input.shape)));
  let y = input;
  for (const one of unique) y = reordered(y, one, (i, length) => length - 1 - i);
  return y;
}

/**
 * Moves elements along axes by a number of places; those that leave at one end come in at the other.
 *
 * @param shifts places, negative ones towards the front
 * @param axis as many as shifts; by default, all elements are moved as a flat list
 * @throws ShapeError for another number of axes than of shifts; ValueError for shifts that are no
 *   integers, or an axis that does not exist
 * @see numpy.roll
 */
export function roll(
  x: TensorLike,
  shifts: number | readonly number[],
  axis?: number | readonly number[],
): Tensor {
  const input = asAnyTensor('roll', 'x', x);
  const places = [shifts].flat();
  expectIntegerList('roll', 'shifts', places);
  const whole = axis === undefined ? reshape(input, [-1]) : input;
  const axes = axis === undefined ? [0] : [axis].flat();
  expectIntegerList('roll', 'axis', axes);
  if (axes.length !== places.length) {
    throw new ShapeError(`roll: ${places.length} shifts for ${axes.length} axes`);
  }
  let y = whole;
  axes.forEach((one, k) => {
    const along = normalizeAxis('roll', one, whole.shape);
    y = reordered(y, along, (i, length) => (((i - places[k]) % length) + length) % length);
  });
  return reshape(y, input.shape);
}
