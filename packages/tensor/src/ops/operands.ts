import { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { type DType, isFloating, promote } from '../core/dtype.ts';
import { DTypeError, shapeError, ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { broadcastAxes, broadcastShapes, formatShape, type Shape } from '../core/shape.ts';
import { cast } from './cast.ts';

/** A tensor, or a number that takes the dtype of the tensor it meets. */
export type TensorLike = Tensor | number;

/** A scalar array. */
export function scalar(value: number, dtype: DType): NdArray {
  const array = NdArray.zeros([], dtype);
  array.data[0] = value;
  return array;
}

/** The dtype that a number takes beside a tensor: a fraction turns integers into float32. */
function dtypeOfNumber(value: number, beside: DType): DType {
  if (isFloating(beside)) return beside;
  if (!Number.isInteger(value)) return 'float32';
  return beside === 'bool' ? 'int32' : beside;
}

/** Tensors of one dtype from operands of an elementwise operation, checked to broadcast. */
export function broadcastOperands(op: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const dtypeA = a instanceof Tensor ? a.dtype : null;
  const dtypeB = b instanceof Tensor ? b.dtype : null;
  const asTensor = (value: TensorLike, other: DType | null): Tensor =>
    value instanceof Tensor
      ? value
      : new Tensor(scalar(value, dtypeOfNumber(value, other ?? 'float32')));
  const tensorA = asTensor(a, dtypeB);
  const tensorB = asTensor(b, dtypeA);
  if (broadcastShapes(tensorA.shape, tensorB.shape) === null) {
    throw shapeError(
      op,
      'shapes do not broadcast: aligned at the last axis, lengths must be equal or 1',
      {
        a: tensorA,
        b: tensorB,
      },
    );
  }
  const dtype = promote(tensorA.dtype, tensorB.dtype);
  return [cast(tensorA, dtype), cast(tensorB, dtype)];
}

/** The tensor itself, or integers as float32 for operations whose result is a fraction. */
export function asFloating(x: Tensor): Tensor {
  return isFloating(x.dtype) ? x : cast(x, 'float32');
}

/** The tensor itself, or booleans as int32 for arithmetic, which they cannot hold the results of. */
export function asNumeric(x: Tensor): Tensor {
  return x.dtype === 'bool' ? cast(x, 'int32') : x;
}

/** Sums a gradient over the axes that broadcasting had added or stretched. */
export function sumToShape(gradient: NdArray, shape: Shape): NdArray {
  const axes = broadcastAxes(shape, gradient.shape);
  return axes.length === 0 ? gradient : kernels().reduce('sum', gradient, axes).withShape(shape);
}

/** Throws a `ShapeError` unless `x` has the rank of `layout`, for example `'N, C, H, W'`. */
export function expectRank(op: string, name: string, x: Tensor, layout: string): void {
  const rank = layout.split(',').length;
  if (x.rank !== rank) {
    throw shapeError(op, `${name} must have ${rank} axes [${layout}], got ${x.rank}`, {
      [name]: x,
    });
  }
}

/** Throws a `DTypeError` unless all tensors have one floating dtype. */
export function expectSameFloating(
  op: string,
  tensors: Readonly<Record<string, Tensor | null>>,
): void {
  const given = Object.entries(tensors).filter(
    (entry): entry is [string, Tensor] => entry[1] !== null,
  );
  const [, { dtype }] = given[0];
  if (!isFloating(dtype) || given.some(([, tensor]) => tensor.dtype !== dtype)) {
    const list = given.map(([name, tensor]) => `${name} ${tensor.dtype}`).join(', ');
    throw new DTypeError(`${op}: needs float32 or float64, the same for all; got ${list}`);
  }
}

/** Throws a `DTypeError` unless `x` holds integers that can be positions or class numbers. */
export function expectIntegers(op: string, name: string, x: Tensor): void {
  if (x.dtype !== 'int32' && x.dtype !== 'uint8') {
    throw new DTypeError(
      `${op}: ${name} must be int32 or uint8, got ${x.dtype}; make them with dtype: 'int32'`,
    );
  }
}

/**
 * An axis counted from the front; negative ones count from the end.
 *
 * @throws ValueError if it is not an integer in [−rank, rank)
 */
export function normalizeAxis(op: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ValueError(
      `${op}: axis must be an integer in [${-rank}, ${rank}) for shape ${formatShape(shape)}, ` +
        `got ${axis}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}
