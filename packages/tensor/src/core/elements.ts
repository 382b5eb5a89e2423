import { describeValue } from './describe.ts';
import { type DType, isFloating, isHalf, newTypedArray, type TypedArray } from './dtype.ts';
import { DTypeError, ValueError } from './errors.ts';
import { toHalves } from './halves.ts';

type IntegerDType = 'uint8' | 'int8' | 'uint16' | 'int32' | 'uint32' | 'int64';

/** The smallest and the largest number. */
type Range = readonly [least: number, most: number];

const RANGES: Readonly<Record<IntegerDType, Range>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function holds([least, most]: Range, value: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** What toElements takes. */
type Numbers = ArrayLike<number | boolean | bigint>;

/**
 * The dtype of plain numbers in an operation with a tensor of dtype `beside`: bool if all of them
 * are booleans, else that of the tensor where it holds them. Beside integers (and booleans, which
 * count as int32), a whole number out of range leads on to int32 or else float64, and a fraction,
 * an infinity or NaN to float32. Without a tensor beside them they are float32, or int32 if all are
 * bigints.
 */
export function dtypeOfNumbers(
  values: readonly (number | boolean | bigint)[],
  beside: DType | undefined,
): DType {
  const areAll = (type: string): boolean =>
    values.length > 0 && values.every((value) => typeof value === type);
  if (areAll('boolean')) return 'bool';
  if (beside === undefined) return areAll('bigint') ? 'int32' : 'float32';
  if (isFloating(beside) || isHalf(beside)) return beside;
  const numbers = values.map(Number);
  if (!numbers.every(Number.isInteger)) return 'float32';
  const fit = (dtype: IntegerDType): boolean =>
    numbers.every((value) => holds(RANGES[dtype], value));
  if (beside !== 'bool' && fit(beside)) return beside;
  return fit('int32') ? 'int32' : 'float64';
}

const rangeOf = (dtype: IntegerDType): string => `whole numbers from ${RANGES[dtype].join(' to ')}`;

function refusal(op: string, value: number, dtype: IntegerDType): ValueError {
  const { int32, int64 } = RANGES;
  const long = `${holds(int64, value) ? 'int64' : 'float32'} or float64`;
  const wider = holds(int32, value) ? 'int32' : long;
  return new ValueError(
    `${op}: ${dtype} holds ${rangeOf(dtype)}, got ${value}; ` +
      `use dtype ${wider}, or cast() a tensor to cut off the fraction` +
      (dtype === 'int64' ? '' : ' and wrap'),
  );
}

/**
 * Brings numbers into a dtype. Every number that enters a tensor comes through here: floats are
 * rounded to the nearest (an infinity beyond the largest), anything but 0 is true, and integers must
 * be held exactly. (`castElements`, from tensor to tensor, wraps instead.)
 *
 * @param op for the error message
 * @throws ValueError for a number that an integer dtype does not hold
 */
export function toElements(op: string, values: Numbers, dtype: DType): TypedArray {
  if (isHalf(dtype)) return toHalves(values, dtype);
  const elements = newTypedArray(dtype, values.length);
  const { length } = elements;
  if (dtype === 'bool') {
    for (let i = 0; i < length; i++) elements[i] = Number(Number(values[i]) !== 0);
  } else if (isFloating(dtype)) {
    for (let i = 0; i < length; i++) elements[i] = Number(values[i]);
  } else {
    const range = RANGES[dtype];
    for (let i = 0; i < length; i++) {
      const value = Number(values[i]);
      if (!holds(range, value)) throw refusal(op, value, dtype);
      elements[i] = value + 0; // Whole numbers have no −0.
    }
  }
  return elements;
}

/**
 * The same for one number, given as the argument `name`.
 *
 * @throws DTypeError for what is neither a number nor a boolean
 */
export function toElement(op: string, name: string, value: number | boolean, dtype: DType): number {
  if (typeof value !== 'number' && typeof value !== 'boolean') {
    throw new DTypeError(
      `${op}: ${name} must be a number or a boolean, got ${describeValue(value)}`,
    );
  }
  return toElements(op, [value], dtype)[0];
}

/**
 * The numbers of a tensor as elements of another dtype: see `cast`.
 *
 * @throws ValueError for a number that int64 does not hold even without its fraction
 */
export function castElements(numbers: TypedArray, dtype: DType): TypedArray {
  if (isHalf(dtype)) return toHalves(numbers, dtype);
  const elements = newTypedArray(dtype, numbers.length);
  if (dtype === 'bool') {
    for (let i = 0; i < elements.length; i++) elements[i] = Number(numbers[i] !== 0);
  } else if (dtype === 'int64') {
    for (let i = 0; i < elements.length; i++) {
      const whole = Math.trunc(numbers[i]) + 0;
      if (!Number.isSafeInteger(whole)) {
        throw new ValueError(
          `cast: int64 holds ${rangeOf('int64')} and does not wrap, got ${numbers[i]}; ` +
            'use dtype float64',
        );
      }
      elements[i] = whole;
    }
  } else {
    elements.set(numbers);
  }
  return elements;
}
