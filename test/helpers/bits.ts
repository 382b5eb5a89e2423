import type { ReadonlyTypedArray } from '@firelight/tensor';

const NAN = 0x7fc00000;

/** The bits of float32, all NaN alike: engines do not promise which one they make. */
export function bitsOf(values: ReadonlyTypedArray): Int32Array {
  const floats = Float32Array.from(values);
  const bits = new Int32Array(floats.buffer);
  floats.forEach((value, i) => {
    if (Number.isNaN(value)) bits[i] = NAN;
  });
  return bits;
}
