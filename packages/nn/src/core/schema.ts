import { ValueError } from '@firelight/tensor';
import { quote } from '@firelight/tensor/extend';

/**
 * Checks a value that was read from a file, and gives it back with its type. Nothing else of a file
 * may be used: what a schema does not name is left behind.
 *
 * @param path what the error calls the value
 * @throws ValueError with path, rule and value
 */
export type Schema<Value> = (value: unknown, path: string) => Value;

type Fields = Readonly<Record<string, Schema<unknown>>>;

/** The most that steps and epochs are counted to, as int32 holds it. */
const MAX_COUNT = 2 ** 31 - 1;
const DIGITS = /^\d{1,10}$/;

/** Characters that no system's file names have, and the separators of paths, drives and streams. */
const NOT_IN_NAMES = /[/\\:*?"<>|\p{Cc}\p{Cs}]/u;
/** What Windows takes for a device, whatever stands behind a dot. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const MAX_NAME = 100;

function refuse(path: string, rule: string, value: unknown): never {
  throw new ValueError(`${path} must be ${rule}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return value === undefined ? 'nothing' : String(value);
}

/** An integer in [min, max]. */
export function integer(min: number, max = MAX_COUNT): Schema<number> {
  return (value, path) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : refuse(path, `an integer from ${min} to ${max}`, value);
}

/** The same, written in digits. */
export function integerText(min: number): Schema<number> {
  const check = integer(min);
  return (value, path) =>
    typeof value === 'string' && DIGITS.test(value)
      ? check(Number(value), path)
      : refuse(path, `an integer from ${min} to ${MAX_COUNT} in digits`, value);
}

/** A number that is neither infinite nor NaN. */
export const finite: Schema<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value)
    ? value
    : refuse(path, 'a finite number', value);

/** Part of a file name on every system: never a path, nor the name of a device. */
export const namePart: Schema<string> = (value, path) =>
  isNamePart(value) ? value : refuse(path, 'part of a file name, not a path', value);

function isNamePart(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME) return false;
  return !NOT_IN_NAMES.test(value) && !value.startsWith('.') && !DEVICES.test(value);
}

/** Anything at all; whoever uses it checks it. */
export const anything: Schema<unknown> = (value) => value;

/** null, or what `schema` takes. */
export function nullable<Value>(schema: Schema<Value>): Schema<Value | null> {
  return (value, path) => (value === null ? null : schema(value, path));
}

/** Nothing, or what `schema` takes; for what older versions did not write. */
export function optional<Value>(schema: Schema<Value>): Schema<Value | undefined> {
  return (value, path) => (value === undefined ? undefined : schema(value, path));
}

/** A list of `length` values. */
export function list<Value>(schema: Schema<Value>, length: number): Schema<Value[]> {
  return (value, path) =>
    Array.isArray(value) && value.length === length
      ? value.map((element, i) => schema(element, `${path}[${i}]`))
      : refuse(path, `a list of ${length}`, value);
}

/** Values of one kind by names of any kind. */
export function record<Value>(schema: Schema<Value>): Schema<ReadonlyMap<string, Value>> {
  return (value, path) =>
    new Map(
      Object.entries(plainObject(value, path)).map(([name, element]) => [
        name,
        schema(element, `${path}.${quote(name)}`),
      ]),
    );
}

/** An object with these fields; others are left behind. */
export function object<Shape extends Fields>(
  fields: Shape,
): Schema<{ readonly [Name in keyof Shape]: ReturnType<Shape[Name]> }> {
  return (value, path) => {
    const found = plainObject(value, path);
    const checked = Object.entries(fields).map(([name, schema]) => [
      name,
      schema(Object.hasOwn(found, name) ? found[name] : undefined, `${path}.${name}`),
    ]);
    // Each field went through the schema of its name.
    return Object.fromEntries(checked) as { [Name in keyof Shape]: ReturnType<Shape[Name]> };
  };
}

/** Whether a value of JSON is an object with named values. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function plainObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : refuse(path, 'an object', value);
}
