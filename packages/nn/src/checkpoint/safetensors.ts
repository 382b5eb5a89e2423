import { type DType, type Shape, type Tensor, tensor } from '@firelight/tensor';
import { CheckpointError } from '../errors.ts';
import type { Snapshot } from '../training/snapshot.ts';

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

const METADATA = '__metadata__';
const LENGTH_BYTES = 8;
/** The format's own bound, against files that claim absurd headers. */
const MAX_HEADER_BYTES = 100e6;

const NAMES: Readonly<Record<DType, string>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};

const ARRAYS = {
  F32: { dtype: 'float32', array: Float32Array },
  F64: { dtype: 'float64', array: Float64Array },
  I32: { dtype: 'int32', array: Int32Array },
  U8: { dtype: 'uint8', array: Uint8Array },
  BOOL: { dtype: 'bool', array: Uint8Array },
} as const;

/** The bytes of a safetensors file; wide elements first, else in the order of `tensors`. */
export function encodeSafetensors({ tensors, metadata }: Snapshot): Uint8Array {
  const arrays = Object.entries(tensors).map(([name, { array, dtype, shape }]) => {
    // Not `tensor.data`: these are read at once and need no copy.
    const { data } = array;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { name, dtype, shape, width: data.BYTES_PER_ELEMENT, bytes };
  });
  // Elements of eight bytes come first, so that all lie at multiples of their size.
  arrays.sort((a, b) => b.width - a.width);
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const { name, dtype, shape, bytes } of arrays) {
    const start = end;
    end += bytes.length;
    header[name] = { dtype: NAMES[dtype], shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = Math.ceil((LENGTH_BYTES + text.length) / 8) * 8;
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

/**
 * Reads the bytes of a safetensors file.
 *
 * @param source what the errors call the file
 * @throws CheckpointError if it is cut, overlong or malformed, or a tensor has a dtype we lack
 */
export function decodeSafetensors(
  file: Uint8Array,
  { source }: { readonly source: string },
): Snapshot {
  const { header, dataStart } = readHeader(file, source);
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new CheckpointError(`${source}: ${METADATA} of the header must hold strings only`);
  }
  const data = file.subarray(dataStart);
  checkPlaces(entries, data.length, source);
  const tensors = Object.entries(entries).map(([name, entry]) => {
    return [name, readTensor(name, entry as HeaderEntry, data, source)] as const;
  });
  return {
    tensors: Object.fromEntries(tensors),
    metadata: metadata as Readonly<Record<string, string>>, // All strings, see above.
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The header as JSON, and where the elements begin. */
function readHeader(
  file: Uint8Array,
  source: string,
): { header: Record<string, unknown>; dataStart: number } {
  const damaged = (what: string): CheckpointError =>
    new CheckpointError(`${source}: ${what}, so it is no whole safetensors file`);
  if (file.length < LENGTH_BYTES) throw damaged(`has only ${file.length} bytes`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const dataStart = LENGTH_BYTES + length;
  if (length > MAX_HEADER_BYTES || dataStart > file.length) {
    throw damaged(`claims a header of ${length} bytes and has ${file.length} in all`);
  }
  let header: unknown;
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    header = JSON.parse(decoder.decode(file.subarray(LENGTH_BYTES, dataStart)));
  } catch {
    throw damaged('has a header that is no JSON');
  }
  if (!isRecord(header)) throw damaged('has a header that is no JSON object');
  return { header, dataStart };
}

/** Every entry is well formed, and together they cover the data without gap or overlap. */
function checkPlaces(entries: Record<string, unknown>, dataLength: number, source: string): void {
  const isCount = (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0;
  const places = Object.entries(entries).map(([name, entry]) => {
    const { shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
    const isWellFormed =
      Array.isArray(shape) &&
      shape.every(isCount) &&
      Array.isArray(offsets) &&
      offsets.length === 2 &&
      offsets.every(isCount) &&
      offsets[0] <= offsets[1];
    if (!isWellFormed) {
      throw new CheckpointError(`${source}: the header's entry of tensor '${name}' is malformed`);
    }
    return { name, start: offsets[0] as number, end: offsets[1] as number };
  });
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  let covered = 0;
  for (const { name, start, end } of places) {
    if (start !== covered) {
      const what = start < covered ? 'overlaps the one before' : 'leaves a gap before it';
      throw new CheckpointError(`${source}: tensor '${name}' at byte ${start} of the data ${what}`);
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw new CheckpointError(
      `${source}: the tensors need ${covered} bytes of data and the file has ${dataLength}, ` +
        `so it is ${dataLength < covered ? 'cut off' : 'too long'}`,
    );
  }
}

function readTensor(
  name: string,
  { dtype: dtypeName, shape, data_offsets: [start, end] }: HeaderEntry,
  data: Uint8Array,
  source: string,
): Tensor {
  if (!Object.hasOwn(ARRAYS, dtypeName)) {
    throw new CheckpointError(
      `${source}: tensor '${name}' has dtype ${dtypeName}; supported are ` +
        Object.keys(ARRAYS).join(', '),
    );
  }
  const { dtype, array } = ARRAYS[dtypeName as keyof typeof ARRAYS];
  const length = shape.reduce((product, n) => product * n, 1);
  if (length * array.BYTES_PER_ELEMENT !== end - start) {
    throw new CheckpointError(
      `${source}: tensor '${name}' of shape [${shape.join(', ')}] needs ` +
        `${length * array.BYTES_PER_ELEMENT} bytes and has ${end - start}`,
    );
  }
  // A copy: the file's bytes need not lie at a multiple of the element's size.
  const bytes = new Uint8Array(data.subarray(start, end));
  return tensor(new array(bytes.buffer), { shape, dtype, copy: false });
}
