import { type DType, newTypedArray, type TypedArray } from '../core/dtype.ts';
import { quote } from '../core/messages.ts';
import type { ByteSource } from './byte-source.ts';

/** Elements and their dtype. */
interface Elements {
  readonly data: TypedArray;
  readonly dtype: DType;
}

/**
 * The element types of safetensors and how they become ours, always exactly: each the dtype of its name,
 * I16 int32, and U64 int64. A tensor with integers beyond ±(2⁵³ − 1) becomes float64; if that rounds an
 * element, it is refused.
 */
interface ElementType {
  readonly bytes: number;
  readonly read: (bytes: Uint8Array, refuse: Refuse) => Elements;
}

/** Called with an element that none of our dtypes holds. */
type Refuse = (index: number, value: number | bigint) => never;

/** The dtypes that are in a file as they are in memory, and the names that files have for them. */
const PLAIN = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  uint32: 'U32',
  uint16: 'U16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
} as const satisfies Partial<Record<DType, string>>;

/** The name of each dtype in a file. */
export const NAMES: Readonly<Record<DType, string>> = { ...PLAIN, int64: 'I64' };

/** A typed array made of bytes that need not lie at a multiple of its elements' size. */
function fromBytes<View extends TypedArray>(bytes: Uint8Array, view: View): View {
  new Uint8Array(view.buffer).set(bytes);
  return view;
}

function plain(dtype: keyof typeof PLAIN): ElementType {
  const { BYTES_PER_ELEMENT } = newTypedArray(dtype, 0);
  return {
    bytes: BYTES_PER_ELEMENT,
    read: (bytes) => ({
      data: fromBytes(bytes, newTypedArray(dtype, bytes.length / BYTES_PER_ELEMENT)),
      dtype,
    }),
  };
}

/** From integers of 64 bits. */
function from64Bits(bytes: Uint8Array, isSigned: boolean, refuse: Refuse): Elements {
  const halves = fromBytes(bytes, newTypedArray('int32', bytes.length / 4));
  const data = newTypedArray('int64', halves.length / 2);
  for (let i = 0; i < data.length; i++) {
    const high = halves[2 * i + 1];
    data[i] = (isSigned ? high : high >>> 0) * 2 ** 32 + (halves[2 * i] >>> 0);
    if (!Number.isSafeInteger(data[i])) {
      const { buffer } = halves;
      const integers = isSigned ? new BigInt64Array(buffer) : new BigUint64Array(buffer);
      return { data: exactFloats(integers, refuse), dtype: 'float64' };
    }
  }
  return { data, dtype: 'int64' };
}

function exactFloats(integers: BigInt64Array | BigUint64Array, refuse: Refuse): Float64Array {
  const values = new Float64Array(integers.length);
  integers.forEach((integer, i) => {
    values[i] = Number(integer);
    if (BigInt(values[i]) !== integer) refuse(i, integer);
  });
  return values;
}

/** The two halves of integers of 64 bits; typed arrays wrap modulo 2³². */
function to64Bits(integers: TypedArray): Int32Array {
  const halves = newTypedArray('int32', 2 * integers.length);
  for (let i = 0; i < integers.length; i++) {
    halves[2 * i] = integers[i];
    halves[2 * i + 1] = Math.floor(integers[i] / 2 ** 32);
  }
  return halves;
}

/** The elements of a tensor as a file holds them. */
export function toBytes(data: TypedArray, dtype: DType): Uint8Array {
  const elements = dtype === 'int64' ? to64Bits(data) : data;
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

function fromBool(bytes: Uint8Array, refuse: Refuse): Elements {
  const elements = plain('bool').read(bytes, refuse);
  const index = bytes.findIndex((value) => value > 1);
  if (index >= 0) refuse(index, bytes[index]);
  return elements;
}

function fromInt16(bytes: Uint8Array): Elements {
  const integers = new Int16Array(bytes.length / 2);
  new Uint8Array(integers.buffer).set(bytes);
  return { data: Int32Array.from(integers), dtype: 'int32' };
}

/** Element types by their names in the header. */
export const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  ...Object.fromEntries(
    Object.entries(PLAIN).map(([dtype, name]) => [name, plain(dtype as keyof typeof PLAIN)]),
  ),
  I64: { bytes: 8, read: (bytes, refuse) => from64Bits(bytes, true, refuse) },
  U64: { bytes: 8, read: (bytes, refuse) => from64Bits(bytes, false, refuse) },
  I16: { bytes: 2, read: fromInt16 },
  BOOL: { bytes: 1, read: fromBool },
};

/**
 * Elements of a type of `ELEMENT_TYPES` as they become ours.
 *
 * @param what begins the error's name for an element, such as `"tensor 'x'"`
 * @throws the source's error for a type that we lack, and for an element that no dtype of ours holds
 */
export function readElements(
  source: ByteSource,
  what: string,
  typeName: string,
  bytes: Uint8Array,
): Elements {
  if (!Object.hasOwn(ELEMENT_TYPES, typeName)) {
    throw source.error(
      `${what} has dtype ${quote(typeName)}; supported are ` +
        `${Object.keys(ELEMENT_TYPES).join(', ')}; convert it with the program that wrote the file`,
    );
  }
  return ELEMENT_TYPES[typeName].read(bytes, (index, value) => {
    throw source.error(
      `element ${index} of ${what} is ${value}, which ` +
        `${typeName === 'BOOL' ? 'is neither 0 nor 1' : 'no dtype of ours holds exactly'}; convert ` +
        'it with the program that wrote the file',
    );
  });
}

/** Bytes of an element of a type, by its name in safetensors. */
export function byteWidth(typeName: string): number {
  return ELEMENT_TYPES[typeName].bytes;
}

/** The bytes of elements in the other order. */
export function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  const other = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += width) {
    for (let i = 0; i < width; i++) other[start + i] = bytes[start + width - 1 - i];
  }
  return other;
}
