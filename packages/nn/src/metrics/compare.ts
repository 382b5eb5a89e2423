/** Whether `value` is larger than `other`, where NaN is less than every number. */
export function isAbove(value: number, other: number): boolean {
  return value > other || (Number.isNaN(other) && !Number.isNaN(value));
}
