import { ValueError } from '@firelight/tensor';
import { describeValue } from '@firelight/tensor/extend';

// Checks of arguments, which callers without types can get wrong in any way; the others are those of
// @firelight/tensor/extend.

/** @throws ValueError always: `name must be rule, got value` */
export function refuse(name: string, rule: string, value: unknown): never {
  throw new ValueError(`${name} must be ${rule}, got ${describeValue(value)}`);
}

/** The options themselves; throws a ValueError for what is no object. */
export function expectOptions<Options extends object>(op: string, options: Options): Options {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  return isObject ? options : refuse(`${op}: options`, 'an object', options);
}

/** @throws ValueError for anything but true, false and undefined */
export function expectFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') refuse(name, 'true or false', value);
}

/** @throws ValueError unless it is a text */
export function expectText(name: string, value: unknown): void {
  if (typeof value !== 'string') refuse(name, 'a string', value);
}

/**
 * Bytes in either form as an array of them.
 *
 * @throws ValueError for anything else
 */
export function expectBytes(name: string, value: Uint8Array | ArrayBuffer): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return value instanceof ArrayBuffer
    ? new Uint8Array(value)
    : refuse(name, 'a Uint8Array or an ArrayBuffer', value);
}

/** @throws ValueError unless there is an image `index` among `length`: `title: no image …` */
export function checkIndex(title: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new ValueError(
    `${title}: no image ${describeValue(index)}, there are ${length}, counted from 0`,
  );
}
