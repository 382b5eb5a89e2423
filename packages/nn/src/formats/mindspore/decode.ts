import { Tensor } from '@firelight/tensor';
import { elementCount, formatShape, NdArray, quote } from '@firelight/tensor/extend';
import { type ByteSource, byteWidth, lazyTensors, readElements } from '@firelight/tensor/formats';
import type { Snapshot } from '../../checkpoint/snapshot.ts';
import { fieldsOf, integersOf, type ProtobufField, textOf, WIRE_TYPES } from '../protobuf.ts';
import { endOfMessages } from './crc-trailer.ts';
import { ELEMENT_TYPE_NAMES, TEXT_TYPE } from './element-types.ts';

/**
 * A checkpoint of MindSpore is a message `Checkpoint { repeated Value value = 1 }`, written in parts, with
 * `Value { string tag = 1; TensorProto tensor = 2; MapTensorProto maptensor = 3 }` and
 * `TensorProto { repeated int64 dims = 1; string tensor_type = 2; bytes tensor_content = 3 }`.
 *
 * A tensor that is too large for one value is cut into several in succession, with the same tag and the
 * dims of the whole. A scalar has the dims [0], and one element.
 *
 * @see mindspore/ccsrc/utils/checkpoint.proto and mindspore/python/mindspore/train/serialization.py
 */
const CHECKPOINT = { value: 1 } as const;
const VALUE = { tag: 1, tensor: 2, map: 3 } as const;
const TENSOR = { dims: 1, type: 2, content: 3 } as const;

/** Most axes of a tensor, as in NumPy. */
const MAX_AXES = 32;
const MAX_VARINT_BYTES = 10;
/** More of a tag or a type is none. */
const MAX_TEXT_BYTES = 4096;

/** A part of a tensor's elements. */
interface Slice {
  readonly dims: readonly number[];
  readonly type: string;
  readonly content: { readonly start: number; readonly end: number };
}

/** A tensor as the file has it. */
interface Entry {
  readonly shape: readonly number[];
  readonly type: string;
  readonly slices: readonly Slice[];
}

/** The tensors of a checkpoint, decoded when they are asked for, and its texts. */
export function decodeMindSpore(source: ByteSource): Snapshot {
  const entries: Record<string, Entry> = Object.create(null);
  const metadata: Record<string, string> = Object.create(null);
  for (const [tag, slices] of taggedSlices(source)) {
    if (slices[0].type === TEXT_TYPE) metadata[tag] = decodeText(source, tag, slices);
    else entries[tag] = entryOf(source, tag, slices);
  }
  const tensors = lazyTensors(entries, (tag, entry) => decodeTensor(source, tag, entry));
  return { tensors, metadata };
}

function taggedSlices(source: ByteSource): Map<string, Slice[]> {
  const found = new Map<string, Slice[]>();
  let last: string | undefined;
  for (const field of fieldsOf(source, 0, endOfMessages(source))) {
    if (!isMessage(field, CHECKPOINT.value)) continue;
    const [tag, slice] = readValue(source, field);
    const before = found.get(tag);
    if (before === undefined) found.set(tag, [slice]);
    else if (tag === last) before.push(slice);
    else {
      throw source.error(
        `has two tensors ${quote(tag)}, with others between them, so it is damaged; save it again`,
      );
    }
    last = tag;
  }
  return found;
}

const isMessage = ({ number, wireType }: ProtobufField, wanted: number): boolean =>
  number === wanted && wireType === WIRE_TYPES.bytes;

function readValue(source: ByteSource, { start, end }: ProtobufField): [string, Slice] {
  let tag: string | null = null;
  let slice: Slice | null = null;
  for (const field of fieldsOf(source, start, end)) {
    if (isMessage(field, VALUE.tag)) tag = shortText(source, field);
    if (isMessage(field, VALUE.tensor)) slice = readTensor(source, field);
    if (isMessage(field, VALUE.map)) {
      throw source.error(
        `${tag === null ? 'a value' : quote(tag)} is a map of a sparse embedding, which is not read here; ` +
          'save the network without it in MindSpore',
      );
    }
  }
  if (tag === null || slice === null) {
    throw source.error(
      `the value at byte ${start} lacks its ${tag === null ? 'name' : 'tensor'}, so it is damaged; ` +
        'save it again',
    );
  }
  return [tag, slice];
}

function readTensor(source: ByteSource, { start, end }: ProtobufField): Slice {
  const dims: number[] = [];
  let type = '';
  let content = { start: end, end };
  for (const field of fieldsOf(source, start, end)) {
    const { number, wireType } = field;
    const isPacked = wireType === WIRE_TYPES.bytes;
    if (number === TENSOR.dims && (isPacked || wireType === WIRE_TYPES.varint)) {
      // The bytes are bounded first, so that no long list is made of them.
      const few = { ...field, end: Math.min(field.end, field.start + MAX_AXES * MAX_VARINT_BYTES) };
      for (const length of integersOf(source, few)) dims.push(length);
    }
    if (isMessage(field, TENSOR.type)) type = shortText(source, field);
    if (isMessage(field, TENSOR.content)) content = field;
    if (dims.length > MAX_AXES || dims.some((length) => length < 0)) {
      throw source.error(
        `the tensor at byte ${start} has the dims ${formatShape(dims.slice(0, MAX_AXES + 1))}, where at ` +
          `most ${MAX_AXES} integers ≥ 0 can be, so it is damaged; save it again`,
      );
    }
  }
  return { dims, type, content };
}

function shortText(source: ByteSource, field: ProtobufField): string {
  const text = field.end - field.start > MAX_TEXT_BYTES ? null : textOf(source, field);
  if (text !== null) return text;
  throw source.error(
    `the name at byte ${field.start} is no text of at most ${MAX_TEXT_BYTES} bytes, so it is damaged; ` +
      'save it again',
  );
}

const contentBytes = (slices: readonly Slice[]): number =>
  slices.reduce((sum, { content }) => sum + content.end - content.start, 0);

/** Joins the slices of a tensor, which must be of one tensor and complete. */
function entryOf(source: ByteSource, tag: string, slices: readonly Slice[]): Entry {
  const [{ dims, type }] = slices;
  const areAlike = slices.every(
    (slice) => slice.type === type && formatShape(slice.dims) === formatShape(dims),
  );
  if (!areAlike) {
    throw source.error(
      `the slices of tensor ${quote(tag)} differ in dims or type, so it is damaged; save it again`,
    );
  }
  const bytes = contentBytes(slices);
  const isScalar = dims.length === 0 || (dims.length === 1 && dims[0] === 0 && bytes > 0);
  const shape = isScalar ? [] : dims;
  const typeName = typeNameOf(type);
  const needed = typeName === null ? bytes : elementCount(shape) * byteWidth(typeName);
  if (needed !== bytes) {
    throw source.error(
      `tensor ${quote(tag)} of type ${type} and dims ${formatShape(dims)} needs ${needed} bytes and has ${bytes}, so it is damaged; save it again`,
    );
  }
  return { shape, type, slices };
}

/** Safetensors' name of a type of MindSpore; null for one that we lack. */
function typeNameOf(type: string): string | null {
  const isKnown = Object.hasOwn(ELEMENT_TYPE_NAMES, type);
  return isKnown ? ELEMENT_TYPE_NAMES[type as keyof typeof ELEMENT_TYPE_NAMES] : null;
}

function joinSlices(source: ByteSource, slices: readonly Slice[]): Uint8Array {
  const [{ content }] = slices;
  if (slices.length === 1) return source.bytes(content.start, content.end);
  const whole = new Uint8Array(contentBytes(slices));
  let at = 0;
  for (const { content: part } of slices) {
    whole.set(source.bytes(part.start, part.end), at);
    at += part.end - part.start;
  }
  return whole;
}

function decodeTensor(source: ByteSource, tag: string, { shape, type, slices }: Entry): Tensor {
  const typeName = typeNameOf(type);
  if (typeName === null) {
    throw source.error(
      `tensor ${quote(tag)} has type ${quote(type)}; supported are ` +
        `${Object.keys(ELEMENT_TYPE_NAMES).join(', ')}; cast it in MindSpore and save it again`,
    );
  }
  const bytes = joinSlices(source, slices);
  const { data, dtype } = readElements(source, `tensor ${quote(tag)}`, typeName, bytes);
  return new Tensor(NdArray.fromTypedArray(data, shape, dtype));
}

function decodeText(source: ByteSource, tag: string, slices: readonly Slice[]): string {
  const bytes = joinSlices(source, slices);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const characters: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, true);
    if (code > 0x10ffff) {
      throw source.error(
        `the text ${quote(tag)} has no character ${code}, so it is damaged; save it again`,
      );
    }
    characters.push(String.fromCodePoint(code));
  }
  if (bytes.length % 4 === 0) return characters.join('');
  throw source.error(
    `the text ${quote(tag)} has ${bytes.length} bytes, no multiple of 4, so it is damaged; save it again`,
  );
}
