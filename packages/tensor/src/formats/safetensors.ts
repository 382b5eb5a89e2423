import { Tensor } from '../autograd/tensor.ts';
import { type FirelightError, ValueError } from '../core/errors.ts';
import { quote } from '../core/messages.ts';
import { NdArray } from '../core/ndarray.ts';
import { isPlainObject } from '../core/plain-object.ts';
import { elementCount, type Shape } from '../core/shape.ts';
import { type ByteSource, firstBytes } from './byte-source.ts';
import { ELEMENT_TYPES, NAMES, readElements, toBytes } from './element-types.ts';
import { lazyTensors, type NamedTensors } from './lazy-tensors.ts';

/**
 * The safetensors format: the length of the header (unsigned, 64 bits, little-endian), the header
 * (JSON, padded with spaces to a multiple of 8 bytes), then the elements of all tensors,
 * little-endian and without gaps. The header gives each tensor's dtype, shape and place, and
 * strings of any kind under `__metadata__`.
 *
 * @see https://github.com/huggingface/safetensors, "Format"
 */

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data_offsets: readonly [start: number, end: number];
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** Tensors by name, in the order of the header. */
  readonly tensors: NamedTensors;
  /** Strings by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = '__metadata__';
/** Bytes of the header's length, with which a file begins. */
export const LENGTH_BYTES = 8;
/** The format's own bound, against files that claim absurd headers. */
const MAX_HEADER_BYTES = 100e6;
/** Most axes of a tensor, as in NumPy. */
const MAX_AXES = 32;

/** How a safetensors file is written. */
export interface EncodeSafetensorsOptions {
  /** So many spaces, at least, end the header; 0 by default. */
  readonly extraPadding?: number;
}

/**
 * The bytes of a safetensors file; wide elements first, else in the order of `tensors`.
 *
 * @throws ValueError if a name or string cannot be in a file
 */
export function encodeSafetensors(
  { tensors, metadata }: SafetensorsContent,
  { extraPadding = 0 }: EncodeSafetensorsOptions = {},
): Uint8Array {
  const arrays = Object.entries(tensors).map(([name, { array, dtype, shape }]) => {
    if (name === METADATA) throw new ValueError(`safetensors: no tensor can be called ${METADATA}`);
    // Not `tensor.data`: these are read at once and need no copy.
    const { data } = array;
    return { name, dtype, shape, width: data.BYTES_PER_ELEMENT, bytes: toBytes(data, dtype) };
  });
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new ValueError(`safetensors: metadata ${quote(name)} must be a string`);
    }
  }
  // Elements of eight bytes come first, so that all lie at multiples of their size.
  arrays.sort((a, b) => b.width - a.width);
  const header: Record<string, unknown> = Object.create(null);
  header[METADATA] = metadata;
  let end = 0;
  for (const { name, dtype, shape, bytes } of arrays) {
    const start = end;
    end += bytes.length;
    header[name] = { dtype: NAMES[dtype], shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = Math.ceil((LENGTH_BYTES + text.length + extraPadding) / 8) * 8;
  if (dataStart - LENGTH_BYTES > MAX_HEADER_BYTES) {
    throw new ValueError(
      `safetensors: names and metadata take ${text.length} bytes, at most ${MAX_HEADER_BYTES}`,
    );
  }
  const file = new Uint8Array(dataStart + end).fill(0x20, LENGTH_BYTES, dataStart);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  file.set(text, LENGTH_BYTES);
  let at = dataStart;
  for (const { bytes } of arrays) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** Whether a file begins as those of safetensors: with a possible length, then a JSON object. */
export function looksLikeSafetensors(source: ByteSource): boolean {
  const start = firstBytes(source, LENGTH_BYTES + 1);
  return start[LENGTH_BYTES] === 0x7b && lengthIn(start) <= MAX_HEADER_BYTES;
}

function lengthIn(start: Uint8Array): number {
  return Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
}

/**
 * Reads a safetensors file. The header is checked at once; a tensor is read and decoded when it is first
 * asked for, so one of a dtype that we lack disturbs nobody who does not need it.
 *
 * Tensors get the dtype of the file. Integers of 64 bits become int64, or float64 where one is beyond
 * ±(2⁵³ − 1), and those of 16 bits with a sign int32.
 *
 * @throws FormatError, or the source's own error, if it is cut, overlong, malformed or of another kind;
 *   and where a tensor is asked for whose dtype we lack or whose elements do not fit into ours
 */
export function decodeSafetensors(source: ByteSource): SafetensorsContent {
  const { header, dataStart } = readHeader(source);
  const { [METADATA]: metadata = {} } = header;
  checkMetadata(metadata, source);
  delete header[METADATA];
  checkPlaces(checkEntries(header, source), source.size - dataStart, source);
  // Each entry went through `checkEntry`.
  const entries = header as Record<string, HeaderEntry>;
  const read = (name: string, entry: HeaderEntry): Tensor =>
    readTensor(name, entry, dataStart, source);
  return { tensors: lazyTensors(entries, read), metadata };
}

/** The header as JSON, and where the elements begin. */
function readHeader(source: ByteSource): { header: Record<string, unknown>; dataStart: number } {
  const damaged = (what: string): FirelightError =>
    source.error(`${what}, so it is no whole safetensors file`);
  const { size } = source;
  if (size < LENGTH_BYTES) throw damaged(`has only ${size} bytes`);
  const length = lengthIn(source.bytes(0, LENGTH_BYTES));
  const dataStart = LENGTH_BYTES + length;
  if (length > MAX_HEADER_BYTES || dataStart > size) {
    throw damaged(`claims a header of ${length} bytes and has ${size} in all`);
  }
  const text = source.bytes(LENGTH_BYTES, dataStart);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text));
  } catch {
    throw damaged('has a header that is no JSON');
  }
  if (!isRecord(header)) throw damaged('has a header that is no JSON object');
  return { header, dataStart };
}

function checkMetadata(
  metadata: unknown,
  source: ByteSource,
): asserts metadata is SafetensorsContent['metadata'] {
  if (!isRecord(metadata) || Object.values(metadata).some((text) => typeof text !== 'string')) {
    throw source.error(`${METADATA} of the header must hold strings only`);
  }
}

/** Where a tensor lies in the data. */
interface Place {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Every entry is well formed, and of the size that its dtype and shape need. */
function checkEntries(header: Record<string, unknown>, source: ByteSource): Place[] {
  const places: Place[] = [];
  for (const name in header) places.push(checkEntry(name, header[name], source));
  return places;
}

/** Whether a value of JSON is an object with named values. */
const isRecord = (value: unknown): value is Record<string, unknown> => isPlainObject(value);

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(name: string, entry: unknown, source: ByteSource): Place {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const isWellFormed =
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.length <= MAX_AXES &&
    shape.every(isCount) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isCount) &&
    offsets[0] <= offsets[1];
  if (!isWellFormed) {
    throw source.error(
      `the header's entry of tensor ${quote(name)} is malformed; it needs a dtype, a ` +
        `shape of at most ${MAX_AXES} axes and two data_offsets`,
    );
  }
  const [start, end] = offsets as [number, number];
  if (Object.hasOwn(ELEMENT_TYPES, dtype)) {
    const bytes = elementCount(shape) * ELEMENT_TYPES[dtype].bytes;
    if (bytes !== end - start) {
      throw source.error(
        `tensor ${quote(name)} of dtype ${dtype} and shape [${shape.join(', ')}] needs ` +
          `${bytes} bytes and has ${end - start}`,
      );
    }
  }
  return { name, start, end };
}

/** Together the tensors cover the data without gap or overlap. */
function checkPlaces(places: Place[], dataLength: number, source: ByteSource): void {
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  let covered = 0;
  for (const { name, start, end } of places) {
    if (start !== covered) {
      const what = start < covered ? 'overlaps the one before' : 'leaves a gap before it';
      throw source.error(`tensor ${quote(name)} at byte ${start} of the data ${what}`);
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw source.error(
      `the tensors need ${covered} bytes of data and the file has ${dataLength}, ` +
        `so it is ${dataLength < covered ? 'cut off' : 'too long'}`,
    );
  }
}

function readTensor(
  name: string,
  { dtype: typeName, shape, data_offsets: [start, end] }: HeaderEntry,
  dataStart: number,
  source: ByteSource,
): Tensor {
  const bytes = source.bytes(dataStart + start, dataStart + end);
  const { data, dtype } = readElements(source, `tensor ${quote(name)}`, typeName, bytes);
  return new Tensor(NdArray.fromTypedArray(data, shape, dtype));
}
