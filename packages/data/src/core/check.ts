import { describeValue, ValueError } from '@firelight/tensor';

// Checks of arguments, which callers without types can get wrong in any way.

/** @throws ValueError unless `isRight`: `name must be rule, got value` */
export function expectThat(isRight: boolean, name: string, rule: string, value: unknown): void {
  if (!isRight) throw new ValueError(`${name} must be ${rule}, got ${describeValue(value)}`);
}

/** The options themselves; throws a ValueError for what is no object. */
export function expectOptions<Options extends object>(op: string, options: Options): Options {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  expectThat(isObject, `${op}: options`, 'an object', options);
  return options;
}

/** @throws ValueError for anything but true, false and undefined */
export function expectFlag(name: string, value: unknown): void {
  expectThat(value === undefined || typeof value === 'boolean', name, 'true or false', value);
}

/** @throws ValueError unless it is a finite number */
export function expectFinite(name: string, value: unknown): void {
  expectThat(Number.isFinite(value), name, 'a finite number', value);
}

/** @throws ValueError unless it is a text */
export function expectText(name: string, value: unknown): void {
  expectThat(typeof value === 'string', name, 'a string', value);
}

/**
 * Bytes in either form as an array of them.
 *
 * @throws ValueError for anything else
 */
export function expectBytes(name: string, value: Uint8Array | ArrayBuffer): Uint8Array {
  if (value instanceof Uint8Array) return value;
  expectThat(value instanceof ArrayBuffer, name, 'a Uint8Array or an ArrayBuffer', value);
  return new Uint8Array(value);
}
