import { describeValue } from './describe.ts';
import { DTYPES, type DType } from './dtype.ts';
import { DTypeError, ValueError } from './errors.ts';
import { nearestOption } from './nearest-names.ts';
import { Generator } from './random.ts';
import { elementCount, formatShape, type Shape } from './shape.ts';

/** Checks of the arguments that are no tensors. */

/** Positions are 32-bit integers. */
const MAX_ELEMENTS = 2 ** 31 - 1;

/** Throws a `ValueError` unless `isRight`: `op: name must be rule, got value`. */
export function expectThat(
  isRight: boolean,
  op: string,
  name: string,
  rule: string,
  value: unknown,
): void {
  if (!isRight) throw new ValueError(`${op}: ${name} must be ${rule}, got ${describeValue(value)}`);
}

/**
 * The options of an operation.
 *
 * @throws ValueError for what is no object, and for an option that the operation does not have, with the
 *   one that was probably meant
 */
export function readOptions<Options extends object>(
  op: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const rule = `an object with any of ${known.join(', ')}`;
    throw new ValueError(`${op}: options must be ${rule}, got ${describeValue(options)}`);
  }
  const names = Object.keys(options) as (keyof Options & string)[];
  const unknown = names.find((name) => !known.includes(name) && options[name] !== undefined);
  if (unknown !== undefined) {
    const nearest = nearestOption(unknown, known);
    const hint = nearest === null ? '' : ` (did you mean '${nearest}'?)`;
    throw new ValueError(
      `${op}: there is no option ${describeValue(unknown)}${hint}; there is ${known.join(', ')}`,
    );
  }
  return options;
}

/** Throws a `ValueError` unless it is true or false. */
export function expectBoolean(op: string, name: string, value: unknown): void {
  expectThat(typeof value === 'boolean', op, name, 'true or false', value);
}

/** Throws a `ValueError` for NaN, infinities and what is no number. */
export function expectFinite(op: string, name: string, value: unknown): void {
  expectThat(Number.isFinite(value), op, name, 'a finite number', value);
}

/** Throws a `ValueError` unless `value` is an integer from `least` on. */
export function expectInteger(
  op: string,
  name: string,
  value: unknown,
  least = Number.NEGATIVE_INFINITY,
): void {
  const isRight = Number.isInteger(value) && (value as number) >= least;
  const rule = Number.isFinite(least) ? `an integer ≥ ${least}` : 'an integer';
  expectThat(isRight, op, name, rule, value);
}

/** Throws a `ValueError` unless `value` is in [0, 1]; so NaN and numbers as text are refused. */
export function expectShare(op: string, name: string, value: unknown): void {
  const isShare = typeof value === 'number' && value >= 0 && value <= 1;
  expectThat(isShare, op, name, 'in [0, 1]', value);
}

/**
 * Throws a `ValueError` unless `value` is a list of integers from `least` on. (`Array.from` also
 * visits the holes of a sparse list, which `every` passes over.)
 */
export function expectIntegerList(
  op: string,
  name: string,
  value: unknown,
  least = Number.NEGATIVE_INFINITY,
): void {
  const isRight =
    Array.isArray(value) &&
    Array.from(value).every((entry) => Number.isInteger(entry) && entry >= least);
  const rule = Number.isFinite(least) ? `a list of integers ≥ ${least}` : 'a list of integers';
  expectThat(isRight, op, name, rule, value);
}

/** Throws a `ValueError` unless `shape` is one, and of no more elements than there are positions. */
export function expectShape(op: string, shape: Shape): void {
  expectIntegerList(op, 'shape', shape, 0);
  if (elementCount(shape) <= MAX_ELEMENTS) return;
  throw new ValueError(
    `${op}: shape ${formatShape(shape)} has more than ${MAX_ELEMENTS} elements; split the work`,
  );
}

/** Throws a `DTypeError` that lists the dtypes unless `dtype` is one. */
export function expectDType(op: string, dtype: DType): void {
  if (DTYPES.includes(dtype)) return;
  throw new DTypeError(
    `${op}: there is no dtype ${describeValue(dtype)}; use ${DTYPES.join(', ')}`,
  );
}

/** Throws a `ValueError` unless it is a `Generator`. */
export function expectGenerator(op: string, generator: Generator): void {
  expectThat(generator instanceof Generator, op, 'generator', 'a Generator', generator);
}

/**
 * An axis counted from the front; negative ones count from the end.
 *
 * @throws ValueError if it is not an integer in [−rank, rank)
 */
export function normalizeAxis(op: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ValueError(
      `${op}: axis must be an integer in [${-rank}, ${rank}) for shape ${formatShape(shape)}, ` +
        `got ${describeValue(axis)}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}
