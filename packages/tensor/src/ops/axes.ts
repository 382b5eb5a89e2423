import type { Tensor } from '../autograd/tensor.ts';
import { expectIntegerList, normalizeAxis, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { elementCount, type Shape } from '../core/shape.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { permute } from './permute.ts';
import { reshape } from './reshape.ts';

/** Axes added, removed, joined and moved: the elements and their order stay, but in `moveAxis`. */

/** Positions of axes, each once, counted from the front. */
function axesOf(op: string, axis: number | readonly number[], shape: Shape): number[] {
  const list = typeof axis === 'number' ? [axis] : axis;
  expectIntegerList(op, 'axis', list);
  const axes = list.map((one) => normalizeAxis(op, one, shape));
  if (new Set(axes).size !== axes.length) {
    throw shapeError(op, `axes ${axes.join(', ')} name an axis twice`, { input: { shape } });
  }
  return axes;
}

/**
 * Leaves out axes of length 1, all of them if none are given.
 *
 * @throws ShapeError if a given axis has another length; ValueError if it does not exist
 * @see numpy.squeeze
 */
export function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const input = asAnyTensor('squeeze', 'x', x);
  if (axis === undefined)
    return reshape(
      input,
      input.shape.filter((length) => length !== 1),
    );
  const axes = axesOf('squeeze', axis, input.shape);
  const long = axes.find((one) => input.shape[one] !== 1);
  if (long !== undefined) {
    const rule = `axis ${long} has length ${input.shape[long]}, only axes of length 1 can go`;
    throw shapeError('squeeze', rule, { input });
  }
  return reshape(
    input,
    input.shape.filter((_, i) => !axes.includes(i)),
  );
}

/**
 * Adds axes of length 1.
 *
 * @param axis positions in the result, −1 being its last axis
 * @throws ValueError if one is outside the result; ShapeError if one is named twice
 * @see numpy.expand_dims
 */
export function unsqueeze(x: TensorLike, axis: number | readonly number[]): Tensor {
  const input = asAnyTensor('unsqueeze', 'x', x);
  if (typeof axis !== 'number') expectIntegerList('unsqueeze', 'axis', axis);
  const added = typeof axis === 'number' ? 1 : axis.length;
  const wide = new Array<number>(input.rank + added).fill(1);
  const axes = axesOf('unsqueeze', axis, wide);
  const lengths = input.shape.values();
  return reshape(
    input,
    wide.map((_, i) => (axes.includes(i) ? 1 : (lengths.next().value as number))),
  );
}

/**
 * Joins neighbouring axes, all of them by default.
 *
 * @param options `startAxis`, `endAxis`: the first and the last to join, 0 and −1 by default
 * @throws ValueError if an axis does not exist; ShapeError if the last comes before the first
 * @see torch.flatten
 */
export function flatten(
  x: TensorLike,
  options: { startAxis?: number; endAxis?: number } = {},
): Tensor {
  const { startAxis = 0, endAxis = -1 } = readOptions('flatten', options, ['startAxis', 'endAxis']);
  const input = asAnyTensor('flatten', 'x', x);
  const { shape } = input;
  if (shape.length === 0) return reshape(input, [1]);
  const [first, last] = [startAxis, endAxis].map((axis) => normalizeAxis('flatten', axis, shape));
  if (last < first) {
    throw shapeError('flatten', `axis ${last} comes before axis ${first}`, { input });
  }
  const joined = elementCount(shape.slice(first, last + 1));
  return reshape(input, [...shape.slice(0, first), joined, ...shape.slice(last + 1)]);
}

/**
 * Moves axes to other positions; the others stay in their order.
 *
 * @throws ValueError if an axis does not exist; ShapeError if one is named twice, or the lists differ in
 *   length
 * @see numpy.moveaxis
 */
export function moveAxis(
  x: TensorLike,
  from: number | readonly number[],
  to: number | readonly number[],
): Tensor {
  const input = asAnyTensor('moveAxis', 'x', x);
  const [sources, targets] = [from, to].map((axis) => axesOf('moveAxis', axis, input.shape));
  if (sources.length !== targets.length) {
    const rule = `${sources.length} axes cannot move to ${targets.length} positions`;
    throw shapeError('moveAxis', rule, { input });
  }
  const staying = input.shape.map((_, i) => i).filter((i) => !sources.includes(i));
  const order = input.shape.map((_, i) => {
    const place = targets.indexOf(i);
    return place === -1 ? (staying.shift() as number) : sources[place];
  });
  return permute(input, order);
}
