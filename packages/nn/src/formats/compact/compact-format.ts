import { Tensor } from '@firelight/tensor';
import { elementCount, NdArray, quote } from '@firelight/tensor/extend';
import {
  type ByteSource,
  crc32,
  decodeSafetensors,
  encodeSafetensors,
  firstBytes,
  lazyTensors,
  partOfSource,
} from '@firelight/tensor/formats';
import type { CheckpointFormat } from '../../checkpoint/format.ts';
import type { FileContent, Snapshot } from '../../checkpoint/snapshot.ts';
import { decodeWeights, type Encoding, encodeWeights } from './stored-weights.ts';

/**
 * The compact file of weights that were pruned or share values. Numbers are little-endian:
 *
 *     "FLDC", u8 version (1)
 *     u32 length of the table, the table (JSON): [name, shape, encoding, bytes] of each encoded tensor
 *     the encoded tensors one behind the other (`stored-weights.ts`)
 *     a safetensors file of all other tensors and of the metadata
 *     u32 CRC-32 of everything before
 *
 * A float32 tensor of at most 256 different elements is encoded if that makes it shorter. Whatever is read
 * has the bits of what was written.
 */
const MAGIC = [0x46, 0x4c, 0x44, 0x43];
const VERSION = 1;
const START = 9;
const CRC_BYTES = 4;
const MAX_AXES = 32;
/** Of tensors that are read of a file: so many times its size and so many bytes more. */
const MOST_TIMES = 4;
const MOST_BYTES = 64 * 2 ** 20;

interface Entry {
  readonly shape: readonly number[];
  readonly encoding: Encoding;
  readonly start: number;
  readonly end: number;
}

/** A tensor as the file has it, if that is shorter. */
function encoded({ array, dtype }: Tensor): ReturnType<typeof encodeWeights> {
  if (dtype !== 'float32') return null;
  const { data } = array;
  const found = encodeWeights(new Uint32Array(data.buffer, data.byteOffset, data.length));
  return found !== null && found.bytes.length < data.byteLength ? found : null;
}

function encodeCompact({ tensors, metadata }: Snapshot): Uint8Array {
  const table: unknown[] = [];
  const parts: Uint8Array[] = [];
  const others: Record<string, Tensor> = Object.create(null);
  for (const [name, each] of Object.entries(tensors)) {
    const found = encoded(each);
    if (found === null) others[name] = each;
    else {
      table.push([name, each.shape, found.encoding, found.bytes.length]);
      parts.push(found.bytes);
    }
  }
  parts.push(encodeSafetensors({ tensors: others, metadata }));
  const text = new TextEncoder().encode(JSON.stringify(table));
  const length = parts.reduce((sum, part) => sum + part.length, START + text.length);
  const file = new Uint8Array(length + CRC_BYTES);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  file[MAGIC.length] = VERSION;
  view.setUint32(MAGIC.length + 1, text.length, true);
  file.set(text, START);
  let at = START + text.length;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  view.setUint32(length, crc32(file.subarray(0, length)), true);
  return file;
}

function decodeCompact(source: ByteSource): FileContent {
  const length = source.size - CRC_BYTES;
  if (length < START) throw source.error('is cut off; copy it again');
  const file = source.bytes(0, source.size);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = file[MAGIC.length];
  if (version !== VERSION) {
    throw source.error(
      `is in version ${version} of the compact format, this Firelight reads version ${VERSION}; use ` +
        'the version of Firelight that wrote it',
    );
  }
  if (view.getUint32(length, true) !== crc32(file.subarray(0, length))) {
    throw source.error('has another checksum than its content; it is damaged, so copy it again');
  }
  const tableEnd = START + view.getUint32(MAGIC.length + 1, true);
  if (tableEnd > length) throw source.error('claims a table that is longer than the file');
  const entries: Record<string, Entry | null> = Object.create(null);
  const end = readTable(source, file.subarray(START, tableEnd), entries, {
    start: tableEnd,
    length,
  });
  const others = decodeSafetensors(partOfSource(source, 'other tensors', end, length));
  for (const name of Object.keys(others.tensors)) {
    if (name in entries) throw source.error(`has tensor ${quote(name)} twice`);
    entries[name] = null;
  }
  const read = (name: string, entry: Entry | null): Tensor => {
    if (entry === null) return others.tensors[name];
    const { shape, encoding, start, end: entryEnd } = entry;
    const damaged = (problem: string) => source.error(`tensor ${quote(name)} ${problem}`);
    const part = file.subarray(start, entryEnd);
    const bits = decodeWeights(part, encoding, elementCount(shape), damaged);
    return new Tensor(NdArray.fromTypedArray(new Float32Array(bits.buffer), shape, 'float32'));
  };
  return { tensors: lazyTensors(entries, read), metadata: others.metadata };
}

/** Fills `entries`; returns where the encoded tensors end. */
function readTable(
  source: ByteSource,
  text: Uint8Array,
  entries: Record<string, Entry | null>,
  { start, length }: { start: number; length: number },
): number {
  let table: unknown;
  try {
    table = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    throw source.error('has a table that is no JSON');
  }
  if (!Array.isArray(table)) throw source.error('has a table that is no list');
  let at = start;
  let bytes = 0;
  for (const row of table) {
    if (!isRow(row)) throw source.error('has a malformed row in its table');
    const [name, shape, encoding, size] = row;
    if (name in entries) throw source.error(`has tensor ${quote(name)} twice`);
    entries[name] = { shape, encoding, start: at, end: at + size };
    at += size;
    bytes += 4 * elementCount(shape);
    if (at > length) throw source.error(`ends inside of tensor ${quote(name)}`);
    if (bytes > MOST_TIMES * source.size + MOST_BYTES) {
      throw source.error(
        `claims tensors of ${bytes} bytes or more in ${source.size}; at most ${MOST_TIMES} times ` +
          `that and ${MOST_BYTES} more are read`,
      );
    }
  }
  return at;
}

type Row = readonly [name: string, shape: number[], encoding: Encoding, bytes: number];

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== 4) return false;
  const [name, shape, encoding, size] = row;
  const isShape = Array.isArray(shape) && shape.length <= MAX_AXES && shape.every(isCount);
  return (
    typeof name === 'string' &&
    isShape &&
    (encoding === 'dense' || encoding === 'sparse') &&
    isCount(size)
  );
}

/**
 * Files of pruned and shared weights, `.flc`: `saveCheckpoint(network, 'small.flc', {}, { format:
 * 'compact' })`, and `openCheckpoint` reads them.
 */
export const COMPACT: CheckpointFormat & Required<Pick<CheckpointFormat, 'write'>> = {
  name: 'compact',
  extensions: ['.flc'],
  recognise: (source) => MAGIC.every((byte, i) => firstBytes(source, MAGIC.length)[i] === byte),
  read: decodeCompact,
  write: encodeCompact,
};
