import { expectDifferentiable, Tensor } from '../autograd/tensor.ts';
import {
  expectBoolean,
  expectDType,
  expectFinite,
  expectGenerator,
  expectInteger,
  expectShape,
  readOptions,
} from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { type DType, isFloating, newTypedArray } from '../core/dtype.ts';
import { toElement, toElements } from '../core/elements.ts';
import { DTypeError, ShapeError, ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { Generator } from '../core/random.ts';
import { elementCount, formatShape, type Shape } from '../core/shape.ts';
import { arrayFromData, type TensorData } from './tensor-data.ts';

/** What a new tensor is like. */
export interface CreateOptions {
  readonly dtype?: DType;
  /** Collect a gradient in `grad`; needs a floating dtype. */
  readonly requiresGrad?: boolean;
}

/** How `tensor` takes data. */
export interface TensorOptions extends CreateOptions {
  /** Lengths of the axes, where the data are flat. */
  readonly shape?: Shape;
  /**
   * Whether a typed array is copied; true by default. With false the tensor takes over one that
   * already has its dtype: nobody may write to it afterwards.
   */
  readonly copy?: boolean;
}

/** What a tensor of random numbers is like. */
export interface RandomOptions extends CreateOptions {
  /** Source of the numbers; by default one for the whole process that starts at seed 0. */
  readonly generator?: Generator;
}

/** Used where no generator is given. It starts at seed 0, so that scripts repeat themselves. */
export const defaultGenerator = new Generator(0);

const CREATE_OPTIONS = ['dtype', 'requiresGrad'] as const;
const TENSOR_OPTIONS = [...CREATE_OPTIONS, 'shape', 'copy'] as const;
const RANDOM_OPTIONS = [...CREATE_OPTIONS, 'generator'] as const;

/** What all functions here ask of their options, which must be among `known`. */
function readCreateOptions<Options extends CreateOptions>(
  op: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): Options {
  const { dtype, requiresGrad } = readOptions(op, options, known);
  if (dtype !== undefined) expectDType(op, dtype);
  if (requiresGrad !== undefined) expectBoolean(op, 'requiresGrad', requiresGrad);
  return options;
}

/** The new tensor of an operation. */
function wrap(op: string, array: NdArray, { requiresGrad = false }: CreateOptions): Tensor {
  if (requiresGrad) expectDifferentiable(array, op);
  return new Tensor(array, { requiresGrad });
}

/**
 * A tensor from a number, a boolean, nested arrays, or a typed array, whose elements are copied.
 *
 * A typed array has the dtype of its name if that is computed with; Int16Array becomes int32,
 * Uint8ClampedArray uint8, Float16Array float32, and Uint32Array, BigInt64Array and BigUint64Array (and
 * bigints in arrays) int32, if all their numbers are in its range. Floats are rounded to the dtype, anything
 * but 0 is true as a bool, and integers must be held exactly.
 *
 * Dtypes that are only stored (int64, uint32, float16, bfloat16) are to be asked for: their elements are
 * read, written, moved (`reshape`, `slice`, `concat` …) and cast; to compute with them, `cast` them first.
 *
 * @param options `dtype`: float32 by default, bool for booleans, and as above for typed arrays;
 *   `shape`: for flat data; `copy`: false to take a typed array over
 * @throws DTypeError for data or elements of another kind
 * @throws ShapeError if nested arrays are ragged, or the data do not fill `shape`
 * @throws ValueError for a number that the dtype does not hold
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  const { dtype, shape, copy = true } = readCreateOptions('tensor', options, TENSOR_OPTIONS);
  expectBoolean('tensor', 'copy', copy);
  if ((data as unknown) instanceof Tensor) {
    throw new DTypeError(
      'tensor: data is a tensor already; use it as it is, or detach() or cast()',
    );
  }
  const array = arrayFromData('tensor', 'data', data, { dtype, copy });
  if (shape === undefined) return wrap('tensor', array, options);
  expectShape('tensor', shape);
  if (elementCount(shape) !== array.size) {
    throw new ShapeError(`tensor: ${array.size} elements do not fill shape ${formatShape(shape)}`);
  }
  return wrap('tensor', array.withShape(shape), options);
}

/** A tensor of one value for the operation that messages name. */
export function filled(
  op: string,
  shape: Shape,
  value: number | boolean,
  options: CreateOptions,
  natural: DType = typeof value === 'boolean' ? 'bool' : 'float32',
): Tensor {
  const { dtype = natural } = readCreateOptions(op, options, CREATE_OPTIONS);
  expectShape(op, shape);
  const element = toElement(op, 'value', value, dtype);
  const elements = newTypedArray(dtype, elementCount(shape)).fill(element);
  return wrap(op, NdArray.fromTypedArray(elements, shape, dtype), options);
}

/**
 * A tensor filled with one value; float32 by default, bool for a boolean.
 *
 * @throws ValueError if the dtype does not hold the value
 */
export function full(shape: Shape, value: number | boolean, options: CreateOptions = {}): Tensor {
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
 * @throws ValueError if step is 0, a bound is not finite, or the dtype does not hold a number
 */
export function arange(start: number, end?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (step === 0 || ![from, to, step].every(Number.isFinite)) {
    const given = [from, to, step].map(describeValue).join(', ');
    throw new ValueError(`arange: needs finite bounds and step ≠ 0, got ${given}`);
  }
  const length = Math.max(0, Math.ceil((to - from) / step));
  expectShape('arange', [length]);
  const natural = [from, to, step].every(Number.isInteger) ? 'int32' : 'float32';
  const { dtype = natural } = readCreateOptions('arange', options, CREATE_OPTIONS);
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) numbers[i] = from + i * step;
  const elements = toElements('arange', numbers, dtype);
  return wrap('arange', NdArray.fromTypedArray(elements, [length], dtype), options);
}

/**
 * `count` numbers from `start` to `end`, which are both among them, at equal distances.
 *
 * @param options float32 by default
 * @throws ValueError if a bound is not finite, count is no integer ≥ 0, or the dtype does not hold a number
 * @see numpy.linspace
 */
export function linspace(
  start: number,
  end: number,
  count: number,
  options: CreateOptions = {},
): Tensor {
  expectFinite('linspace', 'start', start);
  expectFinite('linspace', 'end', end);
  expectInteger('linspace', 'count', count, 0);
  expectShape('linspace', [count]);
  const { dtype = 'float32' } = readCreateOptions('linspace', options, CREATE_OPTIONS);
  const numbers = new Float64Array(count);
  // From both ends, so that the last one is `end` itself.
  for (let i = 0; i < count; i++) {
    const share = count === 1 ? 0 : i / (count - 1);
    numbers[i] = start * (1 - share) + end * share;
  }
  const elements = toElements('linspace', numbers, dtype);
  return wrap('linspace', NdArray.fromTypedArray(elements, [count], dtype), options);
}

type Draw = (generator: Generator, count: number) => Float64Array;

function random(op: string, shape: Shape, options: RandomOptions, draw: Draw): Tensor {
  const { generator = defaultGenerator, dtype = 'float32' } = readCreateOptions(
    op,
    options,
    RANDOM_OPTIONS,
  );
  expectGenerator(op, generator);
  expectShape(op, shape);
  if (!isFloating(dtype)) {
    throw new DTypeError(`${op}: needs dtype float32 or float64, got ${dtype}`);
  }
  const numbers = draw(generator, elementCount(shape));
  return wrap(op, NdArray.fromTypedArray(toElements(op, numbers, dtype), shape, dtype), options);
}

/**
 * Random numbers, uniform over [0, 1); float32 by default.
 *
 * @throws DTypeError for an integer dtype
 */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return random('rand', shape, options, (generator, count) => generator.uniform(count));
}

/**
 * Random numbers of the standard normal distribution N(0, 1); float32 by default.
 *
 * @throws DTypeError for an integer dtype
 */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return random('randn', shape, options, (generator, count) => generator.normal(count));
}
