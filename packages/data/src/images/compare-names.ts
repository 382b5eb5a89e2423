/**
 * The order of Python's `sorted`, by code points; that of `<` is by units of UTF-16, which differs
 * for letters beyond U+FFFF.
 */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    if (isHalf(left) === isHalf(right)) return left - right;
    return isHalf(left) ? 1 : -1;
  }
  return a.length - b.length;
}

/** Whether a unit is half of a letter beyond U+FFFF. */
function isHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
