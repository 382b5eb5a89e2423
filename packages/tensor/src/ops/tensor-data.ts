import { Tensor } from '../autograd/tensor.ts';
import { describeValue, isPromise } from '../core/describe.ts';
import {
  copyOfElements,
  type DType,
  type ReadonlyTypedArray,
  type TypedArray,
} from '../core/dtype.ts';
import { dtypeOfNumbers, toElements } from '../core/elements.ts';
import { DTypeError, ShapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';

/** Arrays of numbers that can be read as elements; see `tensor`. */
export type NumberArray =
  | ReadonlyTypedArray
  | Uint8ClampedArray
  | Int16Array
  | BigInt64Array
  | BigUint64Array;

/** Data for a tensor: a number (or bigint), a boolean, nested arrays of them, or a typed array. */
export type TensorData = number | bigint | boolean | NumberArray | readonly TensorData[];

/**
 * The dtype of each typed array, by its tag, which is the same in every realm (`vm`, frames). It is one that
 * is computed with.
 */
const DTYPE_OF_ARRAY: Readonly<Record<string, DType | undefined>> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Float16Array: 'float32',
  Int32Array: 'int32',
  Int16Array: 'int32',
  Uint32Array: 'int32',
  BigInt64Array: 'int32',
  BigUint64Array: 'int32',
  Uint16Array: 'uint16',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
};

/** The typed arrays whose memory a tensor can take over. */
const OWN_ARRAYS = [
  'Float64Array',
  'Float32Array',
  'Int32Array',
  'Uint16Array',
  'Int8Array',
  'Uint8Array',
];

/** More axes than NumPy allows; an array that holds itself has infinitely many. */
const MAX_RANK = 64;

const ACCEPTED = 'a tensor, a number or boolean, nested arrays of them, or a typed array';

type Scalar = number | bigint | boolean;

const isScalar = (data: unknown): data is Scalar =>
  typeof data === 'number' || typeof data === 'boolean' || typeof data === 'bigint';

function isNumberArray(data: unknown): data is NumberArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

const tagOf = (array: NumberArray): string => array[Symbol.toStringTag];

/** The dtype that data have of themselves: that of a typed array. */
export function ownDType(data: unknown): DType | undefined {
  return isNumberArray(data) ? DTYPE_OF_ARRAY[tagOf(data)] : undefined;
}

/** What to do instead, for what is often taken for data. */
function remedyFor(value: unknown): string {
  if (value instanceof Tensor) return '; join tensors with stack() or concat()';
  if (isPromise(value)) return '; await it first';
  if (value instanceof ArrayBuffer || value instanceof DataView) {
    return '; wrap it in a typed array, such as Float32Array';
  }
  // Bundles rename the classes of packages that they hold twice, but not what they have.
  if (typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value) {
    return (
      ', a tensor of another library or of a second copy of @firelight/tensor; see that npm ' +
      'installs it once (npm ls @firelight/tensor), or take tensor(its data, { shape })'
    );
  }
  return '';
}

/** The error for an argument that is neither a tensor nor data for one. */
export function notATensor(op: string, name: string, value: unknown, accepted: string): DTypeError {
  return new DTypeError(
    `${op}: ${name} must be ${accepted}, got ${describeValue(value)}${remedyFor(value)}`,
  );
}

/** Shape of nested arrays, read along their first elements. */
function shapeOf(op: string, name: string, data: unknown): number[] {
  const shape: number[] = [];
  let inner = data;
  while (Array.isArray(inner) && inner.length > 0 && shape.length <= MAX_RANK) {
    shape.push(inner.length);
    inner = inner[0];
  }
  if (shape.length > MAX_RANK) {
    throw new ShapeError(`${op}: ${name} is nested more than ${MAX_RANK} deep`);
  }
  return Array.isArray(inner) || isNumberArray(inner) ? [...shape, inner.length] : shape;
}

/** Flattens nested arrays, checking that none is ragged. */
function flatten(op: string, name: string, data: unknown): { values: Scalar[]; shape: Shape } {
  const shape = shapeOf(op, name, data);
  const values: Scalar[] = [];
  const visit = (element: unknown, axis: number): void => {
    if (isScalar(element)) {
      if (axis === shape.length) {
        values.push(element);
        return;
      }
    } else if (Array.isArray(element)) {
      if (element.length === shape[axis]) {
        for (const inner of element) visit(inner, axis + 1);
        return;
      }
    } else if (isNumberArray(element)) {
      if (element.length === shape[axis] && axis === shape.length - 1) {
        for (const value of element) values.push(Number(value));
        return;
      }
    } else {
      throw new DTypeError(
        `${op}: elements of ${name} must be numbers or booleans, got ${describeValue(element)}` +
          remedyFor(element),
      );
    }
    const found = typeof element === 'object' ? `an array of ${element.length}` : 'a single value';
    const expected = axis === shape.length ? 'a single value' : `an array of ${shape[axis]}`;
    throw new ShapeError(
      `${op}: nested arrays of ${name} are ragged: expected ${expected}, found ${found}`,
    );
  };
  visit(data, 0);
  return { values, shape };
}

interface DataOptions {
  /** Of the result; by default that of a typed array, and that of `dtypeOfNumbers` for others. */
  readonly dtype?: DType | undefined;
  /** Dtype of the tensor that the data meet in an operation. */
  readonly beside?: DType | undefined;
  /** False to take over a typed array of the right dtype; true by default. */
  readonly copy?: boolean;
}

/**
 * An array from data.
 *
 * @throws DTypeError if `data` or its elements are of another kind; ShapeError if nested arrays are
 *   ragged; ValueError for a number that the dtype does not hold
 */
export function arrayFromData(
  op: string,
  name: string,
  data: unknown,
  { dtype, beside, copy = true }: DataOptions = {},
): NdArray {
  if (isNumberArray(data)) {
    const own = DTYPE_OF_ARRAY[tagOf(data)];
    if (own === undefined) throw notATensor(op, name, data, ACCEPTED);
    const to = dtype ?? own;
    const isOwn = to === own && OWN_ARRAYS.includes(tagOf(data));
    const elements = isOwn ? (data as TypedArray) : toElements(op, data, to);
    return NdArray.fromTypedArray(
      isOwn && copy ? copyOfElements(elements, to) : elements,
      [data.length],
      to,
    );
  }
  if (!isScalar(data) && !Array.isArray(data)) {
    throw notATensor(op, name, data, ACCEPTED);
  }
  const { values, shape } = flatten(op, name, data);
  const to = dtype ?? dtypeOfNumbers(values, beside);
  return NdArray.fromTypedArray(toElements(op, values, to), shape, to);
}
