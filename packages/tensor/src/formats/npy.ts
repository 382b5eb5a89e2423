import { Tensor } from '../autograd/tensor.ts';
import { type DType, newTypedArray, type TypedArray } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { quote } from '../core/messages.ts';
import { NdArray } from '../core/ndarray.ts';
import { elementCount, type Shape, stridesOf } from '../core/shape.ts';
import { type ByteSource, firstBytes } from './byte-source.ts';
import { ELEMENT_TYPES, readElements, swapBytes, toBytes } from './element-types.ts';
import { gather } from './gather.ts';

/**
 * NumPy's format of one array: `\x93NUMPY`, the version, the length of the header, the header (a dict of
 * Python with `descr`, `fortran_order` and `shape`, padded with spaces), then the elements.
 *
 * @see NumPy, doc/neps/nep-0001-npy-format.rst
 */

const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Headers end at multiples of so many bytes. */
const ALIGNMENT = 64;
/** Most bytes of a header: an array has 32 axes at most, and records of named fields are not read. */
const LONGEST_HEADER = 2 ** 16;
/** Most axes, as in NumPy. */
const MOST_AXES = 32;

/** The kinds of elements that are read, and their names in safetensors. */
const TYPES: Readonly<Record<string, string>> = {
  b1: 'BOOL',
  ...{ i1: 'I8', i2: 'I16', i4: 'I32', i8: 'I64' },
  ...{ u1: 'U8', u2: 'U16', u4: 'U32', u8: 'U64' },
  ...{ f2: 'F16', f4: 'F32', f8: 'F64' },
};

/** What elements that are not read are, by the letter of their kind, and what to do. */
const REFUSED: Readonly<Record<string, string>> = {
  O: 'objects of Python, which would have to be run; save arrays of numbers',
  U: 'strings; save arrays of numbers',
  S: 'strings; save arrays of numbers',
  M: "dates; save them as numbers, with astype('int64')",
  m: "spans of time; save them as numbers, with astype('int64')",
  c: 'complex numbers; save .real and .imag',
  f: "floats of more than 64 bits; save them with astype('float64')",
  V: "bytes without a type, as of bfloat16; save them with astype('float32')",
};

/** How our dtypes are called by NumPy; it has no bfloat16. */
const DESCRIPTIONS: Readonly<Partial<Record<DType, string>>> = {
  bool: '|b1',
  ...{ uint8: '|u1', int8: '|i1', uint16: '<u2', int32: '<i4', uint32: '<u4', int64: '<i8' },
  ...{ float16: '<f2', float32: '<f4', float64: '<f8' },
};

/** What the header of an array says. */
interface NpyHeader {
  readonly description: string;
  readonly isFortran: boolean;
  readonly shape: Shape;
  readonly dataStart: number;
}

/** Whether a file begins as NumPy's arrays do. */
export function looksLikeNpy(source: ByteSource): boolean {
  const start = firstBytes(source, MAGIC.length);
  return MAGIC.every((byte, i) => start[i] === byte);
}

/**
 * Reads an array of NumPy (`.npy`), of any byte order, rows or columns first. Integers of 64 bits become
 * int64, or float64 where one is beyond ±(2⁵³ − 1), and those of 16 bits with a sign int32.
 *
 * @throws FormatError, or the source's own error, if it is cut, overlong or damaged, and for objects,
 *   records, strings, dates and complex numbers, each by its name
 */
export function decodeNpy(source: ByteSource): Tensor {
  if (!looksLikeNpy(source)) {
    throw source.error('is no array of NumPy, which begins with \\x93NUMPY');
  }
  const { description, isFortran, shape, dataStart } = readHeader(source);
  const typeName = typeNamed(description, source);
  const { bytes: width } = ELEMENT_TYPES[typeName];
  const length = elementCount(shape) * width;
  const found = source.size - dataStart;
  if (length !== found) {
    throw source.error(
      `an array of ${quote(description)} with shape [${shape.join(', ')}] needs ${length} bytes and ` +
        `the file has ${found} after its header, so it is ${found < length ? 'cut off' : 'too long'}`,
    );
  }
  const bytes = source.bytes(dataStart, source.size);
  const little = description[0] === '>' ? swapBytes(bytes, width) : bytes;
  const { data, dtype } = readElements(source, 'the array', typeName, little);
  const elements = isFortran ? rowsFirst(data, dtype, shape) : data;
  return new Tensor(NdArray.fromTypedArray(elements, shape, dtype));
}

/** The name in safetensors of the type that a header describes. */
function typeNamed(description: string, source: ByteSource): string {
  const [, order, type] = /^([<>|])([a-z]\d)$/.exec(description) ?? [];
  const isKnown = type !== undefined && Object.hasOwn(TYPES, type);
  if (isKnown && (order !== '|' || ELEMENT_TYPES[TYPES[type]].bytes === 1)) return TYPES[type];
  const kind = /^[<>|=]?([A-Za-z])/.exec(description)?.[1] ?? '';
  const what = Object.hasOwn(REFUSED, kind)
    ? REFUSED[kind]
    : 'of no kind that is read; save numbers';
  throw source.error(`its elements, ${quote(description)}, are ${what}`);
}

function readHeader(source: ByteSource): NpyHeader {
  const [major] = source.bytes(6, 7);
  if (major < 1 || major > 3) {
    throw source.error(`is in version ${major} of NumPy's format; 1 to 3 are read`);
  }
  const lengthBytes = major === 1 ? 2 : 4;
  const lengths = source.bytes(8, 8 + lengthBytes);
  const length = lengths.reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (length > LONGEST_HEADER) {
    throw source.error(`claims a header of ${length} bytes, more than any array of numbers has`);
  }
  const start = 8 + lengthBytes;
  const text = new TextDecoder().decode(source.bytes(start, start + length));
  return { ...parseHeader(text, source), dataStart: start + length };
}

/** One `key: value` of the header, and the comma behind it. */
const ITEM =
  /\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*:\s*('[^'\\]*'|"[^"\\]*"|True|False|\([\d\sL,]*\))\s*(?:,|(?=\}))/y;

/** The three entries of a header, in any order and as any Python writes them. */
function parseHeader(text: string, source: ByteSource): Omit<NpyHeader, 'dataStart'> {
  if (/['"]descr['"]\s*:\s*\[/.test(text)) {
    throw source.error('its elements are records of named fields; save each field as an array');
  }
  const entries = new Map<string, string>();
  let end = text.indexOf('{') + 1;
  for (;;) {
    ITEM.lastIndex = end;
    const match = ITEM.exec(text);
    if (match === null) break;
    end = ITEM.lastIndex;
    entries.set(match[1] ?? match[2], match[3]);
  }
  const description = entries.get('descr')?.match(/^['"](.*)['"]$/)?.[1];
  const order = entries.get('fortran_order');
  const shape = lengthsIn(entries.get('shape') ?? '');
  const isWhole = /^\s*\}\s*$/.test(text.slice(end)) && (order === 'True' || order === 'False');
  if (!isWhole || description === undefined || shape === null) {
    throw source.error(
      `its header ${quote(text)} is damaged; it needs descr, fortran_order and a shape of at most ` +
        `${MOST_AXES} axes`,
    );
  }
  return { description, isFortran: order === 'True', shape };
}

/** The numbers of a tuple such as `(2, 3L,)`; null for what is none. */
function lengthsIn(tuple: string): number[] | null {
  if (!tuple.startsWith('(')) return null;
  const items = tuple.slice(1, -1).split(',');
  if (items.at(-1)?.trim() === '') items.pop(); // Behind the last comma, or of no axes.
  const isRight =
    items.length <= MOST_AXES && items.every((item) => /^\s*\d{1,15}L?\s*$/.test(item));
  return isRight ? items.map((item) => Number.parseInt(item, 10)) : null;
}

/** Elements that run along the first axis first, in the order of ours, along the last. */
function rowsFirst(elements: TypedArray, dtype: DType, shape: Shape): TypedArray {
  const strides = stridesOf(shape.toReversed()).toReversed();
  return gather(elements, newTypedArray(dtype, elements.length), { shape, strides, offset: 0 });
}

/**
 * The bytes of an array of NumPy (`.npy`, version 1.0), rows first, little-endian.
 *
 * @throws DTypeError for bfloat16, which NumPy lacks
 */
export function encodeNpy({ array, dtype, shape }: Tensor): Uint8Array {
  const description = DESCRIPTIONS[dtype];
  if (description === undefined) {
    throw new DTypeError(`npy: NumPy has no ${dtype}; cast the tensor to float32 first`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = MAGIC.length + 4;
  const dataStart = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const elements = toBytes(array.data, dtype);
  const file = new Uint8Array(dataStart + elements.length);
  file.set([...MAGIC, 1, 0]);
  new DataView(file.buffer).setUint16(8, dataStart - start, true);
  new TextEncoder().encodeInto(`${text.padEnd(dataStart - start - 1)}\n`, file.subarray(start));
  file.set(elements, dataStart);
  return file;
}
