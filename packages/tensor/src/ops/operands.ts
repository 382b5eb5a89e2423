import { Tensor } from '../autograd/tensor.ts';
import { reductions } from '../backend/kernels.ts';
import { type DType, isFloating, isHalf, isStoredOnly, promote } from '../core/dtype.ts';
import { toElements } from '../core/elements.ts';
import { DTypeError, shapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { broadcastAxes, type Shape } from '../core/shape.ts';
import { arrayFromData, notATensor, ownDType, type TensorData } from './tensor-data.ts';

/**
 * What every operation takes for a tensor: a tensor, a number, a boolean, nested arrays of them, or
 * a typed array. Plain numbers take the dtype of the tensor they meet if it holds them; see
 * `dtypeOfNumbers`.
 */
export type TensorLike = Tensor | TensorData;

/** The dtype that an operand has whatever it meets; undefined for plain numbers. */
export function dtypeOf(operand: TensorLike | null | undefined): DType | undefined {
  return operand instanceof Tensor ? operand.dtype : ownDType(operand);
}

/**
 * The door of operations that move elements and do not look at them: the operand as a tensor of any dtype.
 *
 * @param name of the argument, for the error message
 * @param beside dtype of what plain numbers meet
 * @throws DTypeError that names the operation and the argument, for what is no `TensorLike`
 */
export function asAnyTensor(op: string, name: string, operand: TensorLike, beside?: DType): Tensor {
  if (operand instanceof Tensor) return operand;
  return new Tensor(arrayFromData(op, name, operand, { beside }));
}

/**
 * The door of all other operations: the operand as a tensor that they can compute with.
 *
 * @throws DTypeError also for a dtype that is only stored
 */
export function asTensor(op: string, name: string, operand: TensorLike, beside?: DType): Tensor {
  const x = asAnyTensor(op, name, operand, beside);
  if (!isStoredOnly(x.dtype)) return x;
  const remedy = isHalf(x.dtype) ? 'float32' : 'int32, float32 or float64';
  throw new DTypeError(
    `${op}: ${name} is ${x.dtype}, which is stored but not computed with; cast() it to ${remedy} first`,
  );
}

/**
 * Class numbers or positions as a tensor of integers; int32 where they are plain whole numbers, int64 or
 * uint32.
 *
 * @throws DTypeError for other dtypes; ValueError for a number that int32 does not hold
 */
export function asIntegers(op: string, name: string, operand: TensorLike): Tensor {
  const x = asAnyTensor(op, name, operand, 'int32');
  const { dtype, shape, array } = x;
  if (isFloating(dtype) || isHalf(dtype) || dtype === 'bool') {
    throw new DTypeError(
      `${op}: ${name} must be integers, got ${dtype}; make them with dtype: 'int32'`,
    );
  }
  if (!isStoredOnly(dtype)) return x;
  return new Tensor(NdArray.fromTypedArray(toElements(op, array.data, 'int32'), shape, 'int32'));
}

/**
 * A list of operands as tensors; plain numbers take the common dtype of those that have one.
 *
 * @param door for each of them
 * @throws DTypeError for what is no list, and as the door
 */
export function asTensorList(
  op: string,
  operands: readonly TensorLike[],
  door: typeof asTensor = asTensor,
): Tensor[] {
  if (!Array.isArray(operands)) throw notATensor(op, 'tensors', operands, 'an array of tensors');
  const dtypes = operands.map(dtypeOf).filter((dtype) => dtype !== undefined);
  const beside = dtypes.length === 0 ? undefined : dtypes.reduce(promote);
  // Array.from also visits the holes of a sparse list, which are no tensors.
  return Array.from(operands, (operand, i) => door(op, `tensors[${i}]`, operand, beside));
}

/** Throws a `DTypeError` unless `target` is a tensor, so that what is written into it is seen. */
export function expectTarget(op: string, name: string, target: unknown): void {
  if (target instanceof Tensor) return;
  throw notATensor(op, name, target, 'a Tensor, because it is written to');
}

/** A scalar array. */
export function scalar(value: number, dtype: DType): NdArray {
  const array = NdArray.zeros([], dtype);
  array.data[0] = value;
  return array;
}

/** Sums a gradient over the axes that broadcasting had added or stretched. */
export function sumToShape(gradient: NdArray, shape: Shape): NdArray {
  const axes = broadcastAxes(shape, gradient.shape);
  return axes.length === 0 ? gradient : reductions().reduce('sum', gradient, axes).withShape(shape);
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

/** Throws a `DTypeError` unless all tensors have one dtype. */
export function expectSameDType(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const given = Object.entries(tensors);
  const [, { dtype }] = given[0];
  if (given.every(([, tensor]) => tensor.dtype === dtype)) return;
  const list = given.map(([name, tensor]) => `${name} ${tensor.dtype}`).join(', ');
  throw new DTypeError(`${op}: needs one dtype for all, got ${list}; cast() one of them`);
}
