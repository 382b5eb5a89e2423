import type { FirelightError } from '@firelight/tensor';
import type { ByteSource } from '@firelight/tensor/formats';
import { fieldsOf, int64sOf, type ProtobufField, textOf, WIRE_TYPES } from '../protobuf.ts';

/** A message of an ONNX file, whose fields are looked up by number and read when they are asked for. */
export class Message {
  readonly source: ByteSource;
  readonly #fields = new Map<number, ProtobufField[]>();

  /** @throws the source's error unless whole fields lie from `start` to before `end` */
  constructor(source: ByteSource, start = 0, end = source.size) {
    this.source = source;
    for (const field of fieldsOf(source, start, end)) {
      const known = this.#fields.get(field.number);
      if (known === undefined) this.#fields.set(field.number, [field]);
      else known.push(field);
    }
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }

  error(problem: string): FirelightError {
    return this.source.error(problem);
  }

  /** Fields whose payload has a length before it. */
  #ofBytes(number: number): readonly ProtobufField[] {
    const fields = this.#fields.get(number) ?? [];
    for (const { wireType, start } of fields) {
      if (wireType !== WIRE_TYPES.bytes) throw this.#wrongType(number, start);
    }
    return fields;
  }

  #wrongType(number: number, at: number): FirelightError {
    return this.error(
      `has field ${number} of another type than ONNX gives it, at byte ${at}; it is damaged or no ONNX`,
    );
  }

  /** Where the payload of a field lies, the last if there are several; undefined without one. */
  place(number: number): { readonly start: number; readonly end: number } | undefined {
    return this.#ofBytes(number).at(-1);
  }

  /** The messages of a repeated field. */
  messages(number: number): Message[] {
    return this.#ofBytes(number).map(({ start, end }) => new Message(this.source, start, end));
  }

  /** The message of a field, the last if there are several; undefined without one. */
  message(number: number): Message | undefined {
    const place = this.place(number);
    return place && new Message(this.source, place.start, place.end);
  }

  /** The texts of a repeated field. */
  texts(number: number): string[] {
    return this.#ofBytes(number).map((field) => {
      const text = textOf(this.source, field);
      if (text !== null) return text;
      throw this.error(`has a text that is no UTF-8 at byte ${field.start}; it is damaged`);
    });
  }

  /** A text, empty if it is left out. */
  text(number: number): string {
    return this.texts(number).at(-1) ?? '';
  }

  /**
   * The integers of a repeated field, packed or not. Those beyond ±(2⁵³ − 1), such as the end of a slice
   * that is to have no end, become ±(2⁵³ − 1).
   */
  integers(number: number): number[] {
    const integers: number[] = [];
    for (const field of this.#fields.get(number) ?? []) {
      const { wireType, start } = field;
      const isRow = wireType === WIRE_TYPES.varint || wireType === WIRE_TYPES.bytes;
      if (!isRow) throw this.#wrongType(number, start);
      for (const integer of int64sOf(this.source, field)) integers.push(saturated(integer));
    }
    return integers;
  }

  /** An integer, 0 if it is left out. */
  integer(number: number): number {
    return this.integers(number).at(-1) ?? 0;
  }

  /** The bytes of the numbers of a repeated field of fixed length, 4 or 8, packed or not. */
  fixed(number: number, length: 4 | 8): Uint8Array {
    const fields = this.#fields.get(number) ?? [];
    const single = length === 4 ? WIRE_TYPES.fixed32 : WIRE_TYPES.fixed64;
    const whole = new Uint8Array(fields.reduce((sum, { start, end }) => sum + end - start, 0));
    let at = 0;
    for (const { wireType, start, end } of fields) {
      const isRow = wireType === WIRE_TYPES.bytes && (end - start) % length === 0;
      if (!isRow && wireType !== single) throw this.#wrongType(number, start);
      whole.set(this.source.bytes(start, end), at);
      at += end - start;
    }
    return whole;
  }

  /** The float32 of a repeated field. */
  floats(number: number): number[] {
    return Array.from(new Float32Array(this.fixed(number, 4).buffer));
  }
}

function saturated(integer: bigint): number {
  const most = Number.MAX_SAFE_INTEGER;
  return Math.min(Math.max(Number(integer), -most), most);
}
