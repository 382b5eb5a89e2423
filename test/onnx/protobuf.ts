/** The wire format of protocol buffers, as far as ONNX's messages need it. */

/** One field of a message: its number, and a whole number, or the bytes of anything longer. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Reads a whole number of seven bits a byte; gives it with the place behind it. */
function varint(bytes: Uint8Array, start: number): [value: bigint, end: number] {
  let value = 0n;
  for (let at = start, shift = 0n; ; at++, shift += 7n) {
    value |= BigInt(bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return [value, at + 1];
  }
}

/** The fields of a message in their order; numbers of fixed length as their bytes. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [key, behindKey] = varint(bytes, at);
    const [number, type] = [Number(key >> 3n), Number(key & 7n)];
    if (type === VARINT) {
      const [value, end] = varint(bytes, behindKey);
      fields.push({ number, value });
      at = end;
      continue;
    }
    const [length, start] =
      type === BYTES ? varint(bytes, behindKey) : [BigInt(fixedLength(type)), behindKey];
    at = start + Number(length);
    fields.push({ number, value: bytes.subarray(start, at) });
  }
  return fields;
}

function fixedLength(type: number): number {
  if (type === FIXED64) return 8;
  if (type === FIXED32) return 4;
  throw new Error(`protobuf: wire type ${type} is not known here`);
}

/** The numbers of a repeated field, packed or one by one. */
export function integersOf(fields: readonly Field[], number: number): number[] {
  return fields.flatMap((field) => {
    if (field.number !== number) return [];
    if (typeof field.value === 'bigint') return [Number(BigInt.asIntN(64, field.value))];
    const values: number[] = [];
    for (let at = 0; at < field.value.length; ) {
      const [value, end] = varint(field.value, at);
      values.push(Number(BigInt.asIntN(64, value)));
      at = end;
    }
    return values;
  });
}

/** The float32 of a repeated field, packed or one by one. */
export function floatsOf(fields: readonly Field[], number: number): number[] {
  return messagesOf(fields, number).flatMap((bytes) => [...new Float32Array(bytes.slice().buffer)]);
}

/** The bytes of each field of a number: messages, texts and the like. */
export function messagesOf(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap(({ number: own, value }) =>
    own === number && typeof value !== 'bigint' ? [value] : [],
  );
}

/** The texts of a repeated field. */
export function textsOf(fields: readonly Field[], number: number): string[] {
  return messagesOf(fields, number).map((bytes) => new TextDecoder().decode(bytes));
}
