import type { ByteSource } from '@firelight/tensor/formats';

/**
 * The encoding of Protocol Buffers: a message is a row of fields, each a key (number · 8 + wire type, as
 * a varint) and a payload. Which fields there are, and what they mean, the formats know.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

/** How long a payload is: by its own bits, by its type, or by a length before it. */
export const WIRE_TYPES = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
type WireType = (typeof WIRE_TYPES)[keyof typeof WIRE_TYPES];

/** One field of a message. */
export interface ProtobufField {
  readonly number: number;
  readonly wireType: WireType;
  /** Where its payload lies, without the length before it. */
  readonly start: number;
  readonly end: number;
}

const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const MAX_VARINT_BYTES = 10;
/** The largest number of a field. */
const MAX_NUMBER = 2 ** 29 - 1;

/**
 * The fields of the message that lies from `start` to before `end`, of which only keys and lengths are
 * read.
 *
 * @throws the source's error for a field that does not end inside the message, or is of no wire type
 */
export function* fieldsOf(
  source: ByteSource,
  start = 0,
  end = source.size,
): Generator<ProtobufField, void> {
  const damaged = (what: string, at: number): Error =>
    source.error(`${what} at byte ${at}, so it is cut off or damaged; fetch or save it again`);
  let at = start;
  while (at < end) {
    const begin = at;
    const key = varintAt(source, at, end);
    const number = Math.floor(Number(key.value) / 8);
    const wireType = Number(key.value & 7n);
    if (number < 1 || number > MAX_NUMBER) throw damaged(`has a field of number ${number}`, begin);
    at = key.end;
    if (wireType === WIRE_TYPES.varint) {
      const { end: next } = varintAt(source, at, end);
      yield { number, wireType, start: at, end: next };
      at = next;
      continue;
    }
    let length = FIXED_BYTES[wireType];
    if (wireType === WIRE_TYPES.bytes) {
      const { value, end: next } = varintAt(source, at, end);
      [length, at] = [Number(value), next];
    }
    if (length === undefined) throw damaged(`has a field of wire type ${wireType}`, begin);
    if (length > end - at) {
      throw damaged(`has a field of ${length} bytes where ${end - at} are left`, begin);
    }
    yield { number, wireType: wireType as WireType, start: at, end: at + length };
    at += length;
  }
}

/** The unsigned integer that begins at `start`, and where it ends. */
function varintAt(
  source: ByteSource,
  start: number,
  end: number,
): { readonly value: bigint; readonly end: number } {
  const bytes = source.bytes(start, Math.min(end, start + MAX_VARINT_BYTES));
  // Most are short, and numbers are faster than bigints.
  let low = 0;
  let value = 0n;
  for (const [i, byte] of bytes.entries()) {
    if (i < 4) low += (byte & 0x7f) * 2 ** (7 * i);
    else value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value | BigInt(low)), end: start + i + 1 };
  }
  throw source.error(
    `has an integer without an end at byte ${start}, so it is cut off or damaged; fetch or save it again`,
  );
}

/**
 * The integers of a field of int64, which may stand alone or, packed, in a row.
 *
 * @throws the source's error for one that no int64 can be, or that is beyond ±(2⁵³ − 1)
 */
export function integersOf(source: ByteSource, { start, end }: ProtobufField): number[] {
  const integers: number[] = [];
  for (let at = start; at < end; ) {
    const varint = varintAt(source, at, end);
    const integer = Number(BigInt.asIntN(64, varint.value));
    if (!Number.isSafeInteger(integer)) {
      throw source.error(
        `has the integer ${integer} at byte ${at}, which is too large to be right`,
      );
    }
    integers.push(integer);
    at = varint.end;
  }
  return integers;
}

/** The integers of 64 bits, with a sign, of a field that may be packed. */
export function* int64sOf(
  source: ByteSource,
  { start, end }: ProtobufField,
): Generator<bigint, void> {
  for (let at = start; at < end; ) {
    const varint = varintAt(source, at, end);
    yield BigInt.asIntN(64, varint.value);
    at = varint.end;
  }
}

/** A field's text, or null if it is no UTF-8. */
export function textOf(source: ByteSource, { start, end }: ProtobufField): string | null {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(source.bytes(start, end));
  } catch {
    return null;
  }
}

/** Parts of what is being written, to be joined in this order; so a nested message is copied once. */
export type Chunks = readonly Uint8Array[];

function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** A field of an integer, at most ±(2⁵³ − 1). */
export function varintField(number: number, value: number): Chunks {
  return [Uint8Array.from([...varint(8 * number + WIRE_TYPES.varint), ...varint(value)])];
}

/** A field of a float32. */
export function floatField(number: number, value: number): Chunks {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setFloat32(0, value, true);
  return [Uint8Array.from(varint(8 * number + WIRE_TYPES.fixed32)), payload];
}

/** A field of bytes, or of a message made of fields. */
export function bytesField(number: number, payload: Chunks): Chunks {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  const begin = Uint8Array.from([...varint(8 * number + WIRE_TYPES.bytes), ...varint(length)]);
  return [begin, ...payload];
}

/** A field of text. */
export function textField(number: number, text: string): Chunks {
  return bytesField(number, [new TextEncoder().encode(text)]);
}
