import { describeValue } from './describe.ts';
import { type DType, isFloating, newTypedArray, type TypedArray } from './dtype.ts';
import { DTypeError, ValueError } from './errors.ts';

const INTEGERS: Readonly<Record<'int32' | 'uint8', string>> = {
  int32: 'whole numbers from -2147483648 to 2147483647',
  uint8: 'whole numbers from 0 to 255',
};

function isInt32(value: number): boolean {
  return (value | 0) === value;
}

/**
 * The dtype of plain numbers in an operation with a tensor of dtype `beside`: bool if all of them
 * are booleans, else that of the tensor where it holds them. Beside integers (and booleans, which
 * count as int32), a whole number out of range leads on to int32 or else float64, and a fraction,
 * an infinity or NaN to float32. Without a tensor beside them they are float32.
 */
export function dtypeOfNumbers(
  values: readonly (number | boolean)[],
  beside: DType | undefined,
): DType {
  if (values.length > 0 && values.every((value) => typeof value === 'boolean')) return 'bool';
  if (beside === undefined) return 'float32';
  if (isFloating(beside)) return beside;
  const numbers = values.map(Number);
  if (!numbers.every(Number.isInteger)) return 'float32';
  if (beside === 'uint8' && numbers.every((value) => value >= 0 && value <= 255)) return 'uint8';
  return numbers.every(isInt32) ? 'int32' : 'float64';
}

function refusal(op: string, value: number, dtype: 'int32' | 'uint8'): ValueError {
  const wider = isInt32(value) ? 'int32' : 'float32 or float64';
  return new ValueError(
    `${op}: ${dtype} holds ${INTEGERS[dtype]}, got ${value}; ` +
      `use dtype ${wider}, or cast() a tensor to cut off the fraction and wrap`,
  );
}

/**
 * Brings numbers into a dtype. Every number that enters a tensor comes through here: floats are
 * rounded to the nearest (an infinity beyond the largest), anything but 0 is true, and integers must
 * be held exactly. (`cast`, from
 * tensor to tensor, wraps instead.)
 *
 * @param op for the error message
 * @throws ValueError for a number that an integer dtype does not hold
 */
export function toElements(
  op: string,
  values: ArrayLike<number | boolean | bigint>,
  dtype: DType,
): TypedArray {
  const elements = newTypedArray(dtype, values.length);
  const { length } = elements;
  if (dtype === 'bool') {
    for (let i = 0; i < length; i++) elements[i] = Number(Number(values[i]) !== 0);
  } else if (isFloating(dtype)) {
    for (let i = 0; i < length; i++) elements[i] = Number(values[i]);
  } else {
    for (let i = 0; i < length; i++) {
      const value = Number(values[i]);
      elements[i] = value;
      // What does not come back as it was written was cut off or wrapped.
      if (elements[i] !== value) throw refusal(op, value, dtype);
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
