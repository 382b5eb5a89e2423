import { ValueError } from './errors.ts';

/**
 * Element types. `bool` is stored as one byte, 0 or 1; `int64` are the whole numbers within ±(2⁵³ − 1),
 * which a JavaScript number holds exactly, in eight bytes. See `isStoredOnly` for those that are not
 * computed with.
 */
export type DType =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64';

/** Floats of two bytes: binary16, and the upper half of a float32. */
export type HalfDType = 'float16' | 'bfloat16';

/** Typed arrays that hold the elements of a tensor. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Uint32Array;

/** The typed array of each dtype; that of a 16-bit float holds its bits. */
interface ArrayOf {
  readonly bool: Uint8Array<ArrayBuffer>;
  readonly uint8: Uint8Array<ArrayBuffer>;
  readonly int8: Int8Array<ArrayBuffer>;
  readonly uint16: Uint16Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
  readonly uint32: Uint32Array<ArrayBuffer>;
  readonly int64: Float64Array<ArrayBuffer>;
  readonly float16: Uint16Array<ArrayBuffer>;
  readonly bfloat16: Uint16Array<ArrayBuffer>;
  readonly float32: Float32Array<ArrayBuffer>;
  readonly float64: Float64Array<ArrayBuffer>;
}

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
}

/** What makes the typed array of each dtype. */
export const ARRAY_TYPES: Readonly<Record<DType, TypedArrayConstructor>> = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
};

type WritingMethod = 'copyWithin' | 'fill' | 'reverse' | 'set' | 'sort';

type ReadonlyElements<Elements extends TypedArray> = Elements extends TypedArray
  ? Omit<Elements, number | WritingMethod> & { readonly [index: number]: number }
  : never;

/** A typed array that is only to be read; `slice()` makes one to write to. */
export type ReadonlyTypedArray = ReadonlyElements<TypedArray>;

/** All dtypes, in the order of `promote`. */
export const DTYPES = [
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
] as const satisfies DType[];

/** Whether it is a float that is computed with, which can carry gradients. */
export function isFloating(dtype: DType): dtype is 'float32' | 'float64' {
  return dtype === 'float32' || dtype === 'float64';
}

/** Whether it is a float of two bytes. */
export function isHalf(dtype: DType): dtype is HalfDType {
  return dtype === 'float16' || dtype === 'bfloat16';
}

/**
 * Whether elements of the dtype are only read, written, moved and cast: `int64` and `uint32` may also be
 * labels and positions. They carry no gradients.
 */
export function isStoredOnly(dtype: DType): dtype is HalfDType | 'int64' | 'uint32' {
  return isHalf(dtype) || dtype === 'int64' || dtype === 'uint32';
}

/**
 * A new zero-filled typed array of `length` elements.
 *
 * @throws ValueError if the engine has no memory for them
 */
export function newTypedArray<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  try {
    return new ARRAY_TYPES[dtype](length) as ArrayOf[D]; // As the tables say.
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ValueError(
      `out of memory: ${length} elements of ${dtype} are more than this engine allocates`,
    );
  }
}

/** The same elements in memory of their own. (`slice` of a Node `Buffer` would share it.) */
export function copyOfElements(elements: ReadonlyTypedArray, dtype: DType): TypedArray {
  const copy = newTypedArray(dtype, elements.length);
  copy.set(elements);
  return copy;
}

/** Pairs of which neither dtype holds the other's numbers, and the least that holds both. */
const JOINED: Readonly<Record<string, DType | undefined>> = {
  'uint8 int8': 'int32',
  'int8 uint16': 'int32',
  'int8 uint32': 'int64',
  'int32 uint32': 'int64',
  'float16 bfloat16': 'float32',
};

/**
 * The dtype of an operation on two dtypes: the later one in `bool < uint8 < int8 < uint16 < int32 <
 * uint32 < int64 < float16 < bfloat16 < float32 < float64` if it holds the other's numbers, else the
 * next that holds both: int32 for int8 with uint8 (there is no int16) or uint16, int64 for uint32
 * with int8 or int32, float32 for float16 with bfloat16. (As in PyTorch, integers with a float give
 * that float.)
 */
export function promote(a: DType, b: DType): DType {
  const [first, later] = DTYPES.indexOf(a) < DTYPES.indexOf(b) ? [a, b] : [b, a];
  return JOINED[`${first} ${later}`] ?? later;
}
