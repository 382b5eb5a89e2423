import { quote } from './messages.ts';

/** Longest list, and longest name of a class or symbol, that a message repeats in full. */
const MAX_ELEMENTS = 8;
const MAX_TEXT = 40;

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/** The name of an object's class; null for plain objects and those without a class. */
function classNameOf(value: object): string | null {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? cut(name) : null;
}

/** Whether the value is a promise: an `await` is missing. */
export function isPromise(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function describeObject(value: object): string {
  if (isPromise(value)) return 'a Promise';
  const name = classNameOf(value);
  return name === null ? 'an object' : `an object of class ${name}`;
}

function describeArray(value: readonly unknown[]): string {
  if (value.length > MAX_ELEMENTS) return `an array of ${value.length}`;
  const elements = Array.from(value, (element) =>
    Array.isArray(element) ? '[…]' : describeValue(element),
  );
  return `[${elements.join(', ')}]`;
}

/** Any value as the end of a message: `got 'tpu'`, `got null`, `got [1, 'a']`, `got a Promise`. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'bigint':
      return `${cut(String(value))}n`;
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? describeArray(value) : describeObject(value);
    default:
      return cut(String(value)); // A number, a boolean, a symbol or undefined.
  }
}
