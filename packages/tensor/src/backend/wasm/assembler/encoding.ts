/**
 * Bytes of the WebAssembly binary format.
 *
 * @see https://webassembly.github.io/spec/core/binary
 */

/** Types of parameters and locals; a v128 holds four 32-bit lanes of either kind, or two float64. */
export const VALUE_TYPE = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE_TYPE;

/** The type of a block that leaves nothing on the stack. */
export const EMPTY_BLOCK = [0x40] as const;

/** "\0asm", version 1. */
export const MODULE_START = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0] as const;
/** The form of a type that is a function's. */
export const FUNCTION_TYPE = 0x60;
/** Numbers of a module's sections. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  export: 7,
  code: 10,
} as const;

/** An unsigned integer in LEB128: seven bits a byte, least significant first. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** A signed integer in LEB128; the last byte's bit 6 is the sign. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = rest === 0 ? (low & 0x40) === 0 : rest === -1 && (low & 0x40) !== 0;
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** The four bytes of a float32, least significant first. */
export function float32(value: number): number[] {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

/** The eight bytes of a float64, least significant first. */
export function float64(value: number): number[] {
  return [...new Uint8Array(new Float64Array([value]).buffer)];
}

/** A string, length first. */
export function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}

/** A list of encoded items, count first. */
export function vector(items: readonly (readonly number[])[]): number[] {
  const bytes = unsigned(items.length);
  for (const item of items) for (const byte of item) bytes.push(byte);
  return bytes;
}

/** A section of a module: its number, its length, its content. */
export function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length)].concat(content);
}
