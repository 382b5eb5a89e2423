/** A binary floating-point format. */
export interface FloatFormat {
  /** Bits of the significand, the implied one among them. */
  readonly precision: number;
  /** The exponent of the smallest number that is not subnormal. */
  readonly least: number;
  /** The exponent of the largest number. */
  readonly most: number;
}

export const FORMATS = {
  float16: { precision: 11, least: -14, most: 15 },
  bfloat16: { precision: 8, least: -126, most: 127 },
} as const satisfies Record<string, FloatFormat>;

/** The nearest number of a format, of two the even one: by the definition, in exact arithmetic. */
export function roundedTo(value: number, { precision, least, most }: FloatFormat): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  let exponent = least;
  while (exponent < most && Math.abs(value) >= 2 ** (exponent + 1)) exponent++;
  const unit = 2 ** (exponent - precision + 1);
  // A power of two divides exactly, unless the quotient is subnormal: then it is near 0 all the same.
  const units = Math.abs(value) / unit;
  const below = Math.floor(units);
  const rest = units - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  const size = (below + Number(isUp)) * unit;
  return Math.sign(value) * (size >= 2 ** (most + 1) ? Number.POSITIVE_INFINITY : size);
}

/** The number that 16 bits stand for: sign, exponent, fraction. */
export function numberOf(bits: number, { precision, least, most }: FloatFormat): number {
  const fractionBits = precision - 1;
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** (16 - precision);
  const sign = bits >= 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** least;
  if (exponent - 1 + least > most) return fraction === 0 ? sign / 0 : Number.NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 1 + least);
}
