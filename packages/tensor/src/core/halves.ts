import type { HalfDType } from './dtype.ts';

/*
 * float16 is binary16: sign, 5 bits of exponent, 10 of fraction. Its exponents and those of float32
 * differ by 112, and so do those of infinity and NaN, twice; subnormal numbers are multiples of 2⁻²⁴.
 * bfloat16 is the upper half of a float32.
 *
 * @see IEEE 754-2019, 3.6
 */

/** The numbers that the bits of 16-bit floats stand for; float32 holds them exactly. */
export function fromHalves(halves: ArrayLike<number>, dtype: HalfDType): Float32Array<ArrayBuffer> {
  const { length } = halves;
  const values = new Float32Array(length);
  const bits = new Int32Array(values.buffer);
  if (dtype === 'bfloat16') {
    for (let i = 0; i < length; i++) bits[i] = halves[i] << 16;
    return values;
  }
  for (let i = 0; i < length; i++) {
    const half = halves[i];
    const exponent = half & 0x7c00;
    const sign = (half & 0x8000) << 16;
    if (exponent === 0) {
      values[i] = (half & 0x3ff) * 2 ** -24;
      bits[i] |= sign;
    } else {
      bits[i] = sign | (((half & 0x7fff) << 13) + ((exponent === 0x7c00 ? 224 : 112) << 23));
    }
  }
  return values;
}

/**
 * Numbers as float32, but with an odd last bit wherever they had to be rounded. Rounded once more, to
 * fewer bits, they give what rounding once to the nearest would have.
 */
function roundedToOdd(numbers: ArrayLike<number | boolean | bigint>): Float32Array {
  const values = new Float32Array(numbers.length);
  const bits = new Int32Array(values.buffer);
  for (let i = 0; i < values.length; i++) {
    const number = Number(numbers[i]);
    values[i] = number;
    const value = values[i];
    if (value === number || Number.isNaN(number) || (bits[i] & 1) === 1) continue;
    bits[i] += Math.abs(value) < Math.abs(number) ? 1 : -1;
  }
  return values;
}

/** The fraction of a NaN, which must not become that of an infinity. */
const fractionOfNaN = (fraction: number, quiet: number): number =>
  fraction === 0 ? quiet : fraction;

/** The bits of numbers as 16-bit floats, rounded to the nearest, of two the even one. */
export function toHalves(
  numbers: ArrayLike<number | boolean | bigint>,
  dtype: HalfDType,
): Uint16Array<ArrayBuffer> {
  const values = numbers instanceof Float32Array ? numbers : roundedToOdd(numbers);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  const convert = dtype === 'float16' ? toFloat16 : toBfloat16;
  convert(values, bits, halves);
  return halves;
}

function toBfloat16(_: Float32Array, bits: Int32Array, halves: Uint16Array): void {
  for (let i = 0; i < halves.length; i++) {
    const word = bits[i];
    const upper = word >>> 16;
    halves[i] =
      (word & 0x7fffffff) > 0x7f800000
        ? (upper & 0xff80) | fractionOfNaN(upper & 0x7f, 0x40)
        : (word + 0x7fff + (upper & 1)) >>> 16;
  }
}

function toFloat16(values: Float32Array, bits: Int32Array, halves: Uint16Array): void {
  for (let i = 0; i < halves.length; i++) {
    const word = bits[i];
    const size = word & 0x7fffffff;
    let half: number;
    if (size > 0x7f800000) {
      half = 0x7c00 | fractionOfNaN((size >>> 13) & 0x3ff, 0x200);
    } else if (size >= 0x47800000) {
      half = 0x7c00; // From 2¹⁶ on.
    } else if (size >= 0x38800000) {
      // From 2⁻¹⁴ on. A fraction that is rounded up beyond its bits makes the next exponent.
      half = (size - (112 << 23) + 0xfff + ((size >>> 13) & 1)) >>> 13;
    } else {
      // Beside 2⁵² the last bit of a double is 1.
      half = Math.abs(values[i]) * 2 ** 24 + 2 ** 52 - 2 ** 52;
    }
    halves[i] = ((word >>> 16) & 0x8000) | half;
  }
}
