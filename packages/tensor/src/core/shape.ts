/** Lengths of the axes of a tensor, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** `[2, 3]` as text. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Number of elements: the product of all lengths, 1 for a scalar. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Row-major strides in elements: `stride[i] = Π shape[j], j > i`. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Whether both shapes have the same rank and lengths. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/**
 * NumPy's broadcasting: shapes are aligned at the last axis, and a length of 1 stretches.
 *
 * @returns the common shape, or `null` where two lengths differ and neither is 1
 * @see https://numpy.org/doc/stable/user/basics.broadcasting.html
 */
export function broadcastShapes(a: Shape, b: Shape): number[] | null {
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let back = 1; back <= rank; back++) {
    const lengthA = a[a.length - back] ?? 1;
    const lengthB = b[b.length - back] ?? 1;
    if (lengthA !== lengthB && lengthA !== 1 && lengthB !== 1) return null;
    result[rank - back] = lengthA === 1 ? lengthB : lengthA;
  }
  return result;
}

/** Axes of `shape` that were added or stretched when `from` was broadcast to it. */
export function broadcastAxes(from: Shape, shape: Shape): number[] {
  const added = shape.length - from.length;
  const axes: number[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (axis < added || (from[axis - added] === 1 && shape[axis] !== 1)) axes.push(axis);
  }
  return axes;
}

/**
 * Strides with which an array of shape `from` is read as if it had `shape`: 0 on every axis that
 * broadcasting adds or stretches.
 */
export function broadcastStrides(from: Shape, shape: Shape): number[] {
  const added = shape.length - from.length;
  const own = stridesOf(from);
  return shape.map((_, axis) => (axis < added || from[axis - added] === 1 ? 0 : own[axis - added]));
}

/** The shape left when `axes` are reduced: removed, or kept with length 1. */
export function reducedShape(
  shape: Shape,
  axes: readonly number[],
  { keepDims }: { keepDims: boolean },
): number[] {
  if (keepDims) return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** Splits a shape around one axis: `[before, length, after]`, each a product of lengths. */
export function splitAtAxis(shape: Shape, axis: number): [number, number, number] {
  return [elementCount(shape.slice(0, axis)), shape[axis], elementCount(shape.slice(axis + 1))];
}
