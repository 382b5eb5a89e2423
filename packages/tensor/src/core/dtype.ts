import { ValueError } from './errors.ts';

/** Element types; `bool` is stored as one byte, 0 or 1. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool';

/** Typed arrays that hold the elements of a tensor. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** The typed array of each dtype. */
interface ArrayOf {
  readonly float32: Float32Array<ArrayBuffer>;
  readonly float64: Float64Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
  readonly uint8: Uint8Array<ArrayBuffer>;
  readonly bool: Uint8Array<ArrayBuffer>;
}

type WritingMethod = 'copyWithin' | 'fill' | 'reverse' | 'set' | 'sort';

type ReadonlyElements<Elements extends TypedArray> = Elements extends TypedArray
  ? Omit<Elements, number | WritingMethod> & { readonly [index: number]: number }
  : never;

/** A typed array that is only to be read; `slice()` makes one to write to. */
export type ReadonlyTypedArray = ReadonlyElements<TypedArray>;

/** All dtypes, in promotion order: the later of two is the dtype of a mixed operation. */
export const DTYPES = ['bool', 'uint8', 'int32', 'float32', 'float64'] as const satisfies DType[];

/** Bytes of one element. */
export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = {
  bool: 1,
  uint8: 1,
  int32: 4,
  float32: 4,
  float64: 8,
};

/** Whether the dtype can carry gradients. */
export function isFloating(dtype: DType): dtype is 'float32' | 'float64' {
  return dtype === 'float32' || dtype === 'float64';
}

/**
 * A new zero-filled typed array of `length` elements.
 *
 * @throws ValueError if the engine has no memory for them
 */
export function newTypedArray<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  try {
    return allocate(dtype, length) as ArrayOf[D]; // As the table says.
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ValueError(
      `out of memory: ${length} elements of ${dtype} are more than this engine allocates`,
    );
  }
}

function allocate(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    default:
      return dtype satisfies never;
  }
}

/** The same elements in memory of their own. (`slice` of a Node `Buffer` would share it.) */
export function copyOfElements(elements: ReadonlyTypedArray, dtype: DType): TypedArray {
  const copy = newTypedArray(dtype, elements.length);
  copy.set(elements);
  return copy;
}

/**
 * The dtype of an operation on two dtypes: the later one in
 * `bool < uint8 < int32 < float32 < float64`. (As in PyTorch, int32 with float32 gives float32.)
 */
export function promote(a: DType, b: DType): DType {
  return DTYPES.indexOf(a) >= DTYPES.indexOf(b) ? a : b;
}
