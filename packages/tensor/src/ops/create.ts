import { Tensor } from '../autograd/tensor.ts';
import {
  copyOfElements,
  type DType,
  newTypedArray,
  type ReadonlyTypedArray,
  type TypedArray,
} from '../core/dtype.ts';
import { ShapeError, ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { Generator } from '../core/random.ts';
import { elementCount, formatShape, type Shape } from '../core/shape.ts';

/** What `tensor` takes: a number, a boolean, nested arrays of them, or a typed array. */
export type TensorData = number | boolean | ReadonlyTypedArray | readonly TensorData[];

export interface CreateOptions {
  readonly dtype?: DType;
  /** Collect a gradient in `grad`; needs a floating dtype. */
  readonly requiresGrad?: boolean;
}

export interface TensorOptions extends CreateOptions {
  /** Lengths of the axes, where the data are flat. */
  readonly shape?: Shape;
  /**
   * Whether a typed array is copied; true by default. With false the tensor takes over one that
   * already has its dtype: nobody may write to it afterwards.
   */
  readonly copy?: boolean;
}

export interface RandomOptions extends CreateOptions {
  /** Source of the numbers; by default one for the whole process that starts at seed 0. */
  readonly generator?: Generator;
}

/** Used where no generator is given. It starts at seed 0, so that scripts repeat themselves. */
export const defaultGenerator = new Generator(0);

function isTypedArray(data: unknown): data is ReadonlyTypedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

function dtypeOf(array: ReadonlyTypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Uint8Array) return 'uint8';
  const { name } = (array as object).constructor;
  throw new ValueError(
    `tensor: ${name} is not supported; use Float32Array, Float64Array, Int32Array or Uint8Array`,
  );
}

/** Shape of nested arrays, read along their first elements. */
function shapeOf(data: TensorData): number[] {
  if (isTypedArray(data)) return [data.length];
  if (!Array.isArray(data)) return [];
  return data.length === 0 ? [0] : [data.length, ...shapeOf(data[0])];
}

/** Flattens nested arrays into `out`, checking that none is ragged. */
function flatten(data: TensorData, shape: Shape, out: (number | boolean)[]): void {
  if (typeof data === 'number' || typeof data === 'boolean') {
    if (shape.length === 0) {
      out.push(data);
      return;
    }
  } else if (Array.isArray(data) || isTypedArray(data)) {
    if (shape.length > 0 && data.length === shape[0]) {
      for (const element of data as readonly TensorData[]) flatten(element, shape.slice(1), out);
      return;
    }
  } else {
    throw new ValueError(`tensor: elements must be numbers or booleans, got ${typeof data}`);
  }
  const found = typeof data === 'object' ? `an array of ${data.length}` : 'a single value';
  const expected = shape.length === 0 ? 'a single value' : `an array of ${shape[0]}`;
  throw new ShapeError(`tensor: nested arrays are ragged: expected ${expected}, found ${found}`);
}

function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape) || !shape.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new ValueError(
      `${op}: shape must be a list of integers ≥ 0, got ${JSON.stringify(shape)}`,
    );
  }
}

function wrap(data: TypedArray, shape: Shape, dtype: DType, options: CreateOptions): Tensor {
  const array = NdArray.fromTypedArray(data, shape, dtype);
  return new Tensor(array, { requiresGrad: options.requiresGrad ?? false });
}

/**
 * A tensor from a number, a boolean, nested arrays, or a typed array, whose elements are copied.
 *
 * @param options `dtype`: float32 by default, bool for booleans, and the typed array's own;
 *   `shape`: for flat data; `copy`: false to take a typed array over
 * @throws ShapeError if nested arrays are ragged, or the data do not fill `shape`
 * @throws ValueError for elements that are neither numbers nor booleans
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  let shape: Shape = shapeOf(data);
  let values: ReadonlyTypedArray | (number | boolean)[];
  let natural: DType;
  if (isTypedArray(data)) {
    values = data;
    natural = dtypeOf(data);
  } else {
    values = [];
    flatten(data, shape, values);
    natural = values.length > 0 && values.every((v) => typeof v === 'boolean') ? 'bool' : 'float32';
  }
  if (options.shape !== undefined) {
    checkShape('tensor', options.shape);
    if (elementCount(options.shape) !== values.length) {
      throw new ShapeError(
        `tensor: ${values.length} elements do not fill shape ${formatShape(options.shape)}`,
      );
    }
    shape = options.shape;
  }
  const dtype = options.dtype ?? natural;
  if (isTypedArray(values) && dtype === natural) {
    const own = options.copy === false ? (values as TypedArray) : copyOfElements(values, dtype);
    return wrap(own, shape, dtype, options);
  }
  const array = newTypedArray(dtype, values.length);
  for (let i = 0; i < array.length; i++) {
    array[i] = dtype === 'bool' ? Number(Boolean(values[i])) : Number(values[i]);
  }
  return wrap(array, shape, dtype, options);
}

function filled(op: string, shape: Shape, value: number, options: CreateOptions): Tensor {
  checkShape(op, shape);
  const { dtype = 'float32' } = options;
  return wrap(newTypedArray(dtype, elementCount(shape)).fill(value), shape, dtype, options);
}

/** A tensor filled with one value; float32 by default. */
export function full(shape: Shape, value: number, options: CreateOptions = {}): Tensor {
  return filled('full', shape, value, options);
}

/** A tensor of zeros; float32 by default. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return filled('zeros', shape, 0, options);
}

/** A tensor of ones; float32 by default. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return filled('ones', shape, 1, options);
}

/**
 * The numbers start, start + step, … before `end`; `arange(n)` counts from 0 to n − 1.
 *
 * @param options int32 by default if all three are integers, else float32
 * @throws ValueError if step is 0 or a bound is not finite
 */
export function arange(start: number, end?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (step === 0 || ![from, to, step].every(Number.isFinite)) {
    throw new ValueError(`arange: needs finite bounds and step ≠ 0, got ${from}, ${to}, ${step}`);
  }
  const dtype = options.dtype ?? ([from, to, step].every(Number.isInteger) ? 'int32' : 'float32');
  const data = newTypedArray(dtype, Math.max(0, Math.ceil((to - from) / step)));
  for (let i = 0; i < data.length; i++) data[i] = from + i * step;
  return wrap(data, [data.length], dtype, options);
}

/** Random numbers, uniform over [0, 1); float32 by default. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  checkShape('rand', shape);
  const { generator = defaultGenerator, dtype = 'float32' } = options;
  return tensor(generator.uniform(elementCount(shape)), { ...options, shape, dtype, copy: false });
}

/** Random numbers of the standard normal distribution N(0, 1); float32 by default. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  checkShape('randn', shape);
  const { generator = defaultGenerator, dtype = 'float32' } = options;
  return tensor(generator.normal(elementCount(shape)), { ...options, shape, dtype, copy: false });
}
