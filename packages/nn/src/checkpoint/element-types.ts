import type { DType, TypedArray } from '@firelight/tensor';

/**
 * The element types of safetensors and how they become ours, always exactly: floats of 16 bits become
 * float32, and integers int32. Of the integers that int32 does not hold all of, a tensor becomes
 * float64 where it needs to; if that rounds an element, it is refused.
 */
interface ElementType {
  readonly bytes: number;
  /** Elements out of bytes of their own, which it may reuse. */
  readonly read: (bytes: ArrayBuffer, refuse: Refuse) => TypedArray;
  /** The dtype, where it is not that of the typed array. */
  readonly dtype?: DType;
}

/** Called with an element that none of our dtypes holds. */
type Refuse = (index: number, value: number | bigint) => never;

function fromUint32(bytes: ArrayBuffer): TypedArray {
  const values = new Int32Array(bytes);
  return values.some((value) => value < 0) ? Float64Array.from(new Uint32Array(bytes)) : values;
}

/** From integers of 64 bits; those of int32 have upper halves that say nothing but the sign. */
function from64Bits(bytes: ArrayBuffer, isSigned: boolean, refuse: Refuse): TypedArray {
  const halves = new Int32Array(bytes);
  const values = new Int32Array(halves.length / 2);
  for (let i = 0; i < values.length; i++) {
    const [low, high] = [halves[2 * i], halves[2 * i + 1]];
    if (high !== low >> 31 || (!isSigned && low < 0)) {
      return exactFloats(isSigned ? new BigInt64Array(bytes) : new BigUint64Array(bytes), refuse);
    }
    values[i] = low;
  }
  return values;
}

function exactFloats(integers: BigInt64Array | BigUint64Array, refuse: Refuse): Float64Array {
  const values = new Float64Array(integers.length);
  integers.forEach((integer, i) => {
    values[i] = Number(integer);
    if (BigInt(values[i]) !== integer) refuse(i, integer);
  });
  return values;
}

/**
 * float32 from binary16: sign, 5 bits of exponent, 10 of fraction. The exponents differ by 112, and
 * so do those of infinity and NaN, twice; subnormal numbers are multiples of 2⁻²⁴.
 *
 * @see IEEE 754-2019, 3.6
 */
function fromHalf(bytes: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(bytes);
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    const sign = (half & 0x8000) << 16;
    if (exponent === 0) {
      values[i] = fraction * 2 ** -24;
      bits[i] |= sign;
    } else {
      bits[i] = sign | ((exponent + (exponent === 0x1f ? 224 : 112)) << 23) | (fraction << 13);
    }
  }
  return values;
}

/** float32 from bfloat16, which is its upper half. */
function fromBfloat(bytes: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(bytes), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

function fromBool(bytes: ArrayBuffer, refuse: Refuse): Uint8Array {
  const values = new Uint8Array(bytes);
  const index = values.findIndex((value) => value > 1);
  if (index >= 0) refuse(index, values[index]);
  return values;
}

/** Element types by their names in the header. */
export const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  F64: { bytes: 8, read: (bytes) => new Float64Array(bytes) },
  F32: { bytes: 4, read: (bytes) => new Float32Array(bytes) },
  F16: { bytes: 2, read: fromHalf },
  BF16: { bytes: 2, read: fromBfloat },
  I64: { bytes: 8, read: (bytes, refuse) => from64Bits(bytes, true, refuse) },
  U64: { bytes: 8, read: (bytes, refuse) => from64Bits(bytes, false, refuse) },
  I32: { bytes: 4, read: (bytes) => new Int32Array(bytes) },
  U32: { bytes: 4, read: fromUint32 },
  I16: { bytes: 2, read: (bytes) => Int32Array.from(new Int16Array(bytes)) },
  U16: { bytes: 2, read: (bytes) => Int32Array.from(new Uint16Array(bytes)) },
  I8: { bytes: 1, read: (bytes) => Int32Array.from(new Int8Array(bytes)) },
  U8: { bytes: 1, read: (bytes) => new Uint8Array(bytes) },
  BOOL: { bytes: 1, read: fromBool, dtype: 'bool' },
};
