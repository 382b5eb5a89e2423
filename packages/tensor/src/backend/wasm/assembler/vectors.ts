import { float32, unsigned } from './encoding.ts';
import { F32, F64, f32, f64, I32, i32, memoryOperand, Value } from './scalars.ts';

/** Four lane numbers: 0 to 3 pick from the first vector, 4 to 7 from the second. */
export type Lanes = readonly [number, number, number, number];

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

function shuffleCode(a: Value, b: Value, lanes: Lanes): number[] {
  const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
  return [...a.code, ...b.code, ...simd(0x0d), ...bytes];
}

function combined(a: Value, b: Value, opcode: number): number[] {
  return [...a.code, ...b.code, ...simd(opcode)];
}

/** Four float32 lanes. */
export class F32x4 extends Value {
  #with(other: F32x4, opcode: number): F32x4 {
    return new F32x4(combined(this, other, opcode));
  }

  #map(opcode: number): F32x4 {
    return new F32x4([...this.code, ...simd(opcode)]);
  }

  #compare(other: F32x4, opcode: number): I32x4 {
    return new I32x4(combined(this, other, opcode));
  }

  plus(other: F32x4): F32x4 {
    return this.#with(other, 0xe4);
  }

  minus(other: F32x4): F32x4 {
    return this.#with(other, 0xe5);
  }

  times(other: F32x4): F32x4 {
    return this.#with(other, 0xe6);
  }

  dividedBy(other: F32x4): F32x4 {
    return this.#with(other, 0xe7);
  }

  /** IEEE minimum: NaN if either is. */
  min(other: F32x4): F32x4 {
    return this.#with(other, 0xe8);
  }

  /** IEEE maximum: NaN if either is. */
  max(other: F32x4): F32x4 {
    return this.#with(other, 0xe9);
  }

  /** max(0, ·), one instruction; NaN stays, and −0 may stay −0. */
  positivePart(): F32x4 {
    return this.#with(splat(0), 0xeb); // pmax: this < 0 ? 0 : this
  }

  abs(): F32x4 {
    return this.#map(0xe0);
  }

  negated(): F32x4 {
    return this.#map(0xe1);
  }

  sqrt(): F32x4 {
    return this.#map(0xe3);
  }

  /** The nearest whole number, ties to even. */
  rounded(): F32x4 {
    return this.#map(0x6a);
  }

  equals(other: F32x4): I32x4 {
    return this.#compare(other, 0x41);
  }

  notEquals(other: F32x4): I32x4 {
    return this.#compare(other, 0x42);
  }

  lessThan(other: F32x4): I32x4 {
    return this.#compare(other, 0x43);
  }

  greaterThan(other: F32x4): I32x4 {
    return this.#compare(other, 0x44);
  }

  atMost(other: F32x4): I32x4 {
    return this.#compare(other, 0x45);
  }

  atLeast(other: F32x4): I32x4 {
    return this.#compare(other, 0x46);
  }

  /** Four of the eight lanes of this and `other`. */
  shuffle(other: F32x4, lanes: Lanes): F32x4 {
    return new F32x4(shuffleCode(this, other, lanes));
  }

  lane(index: number): F32 {
    return new F32([...this.code, ...simd(0x1f), index]);
  }

  withLane(index: number, value: F32): F32x4 {
    return new F32x4([...this.code, ...value.code, ...simd(0x20), index]);
  }

  /** The same bits as integers. */
  bits(): I32x4 {
    return new I32x4(this.code);
  }

  /** Lanes 0 and 1. */
  lowToF64x2(): F64x2 {
    return new F64x2([...this.code, ...simd(0x5f)]);
  }

  /** Lanes 2 and 3. */
  highToF64x2(): F64x2 {
    return this.shuffle(this, [2, 3, 2, 3]).lowToF64x2();
  }

  /** Integers nearest to zero; saturates, and NaN gives 0. */
  toI32x4(): I32x4 {
    return new I32x4([...this.code, ...simd(0xf8)]);
  }
}

/** Four int32 lanes, or masks: all bits of a lane set for true. */
export class I32x4 extends Value {
  #with(other: I32x4, opcode: number): I32x4 {
    return new I32x4(combined(this, other, opcode));
  }

  plus(other: I32x4): I32x4 {
    return this.#with(other, 0xae);
  }

  minus(other: I32x4): I32x4 {
    return this.#with(other, 0xb1);
  }

  equals(other: I32x4): I32x4 {
    return this.#with(other, 0x37);
  }

  lessThanUnsigned(other: I32x4): I32x4 {
    return this.#with(other, 0x3a);
  }

  times(other: I32x4): I32x4 {
    return this.#with(other, 0xb5);
  }

  /** Full 64-bit products of unsigned lanes 0 and 1, each as two lanes, low word first. */
  wideProductLow(other: I32x4): I32x4 {
    return this.#with(other, 0xde);
  }

  /** The same of lanes 2 and 3. */
  wideProductHigh(other: I32x4): I32x4 {
    return this.#with(other, 0xdf);
  }

  and(other: I32x4): I32x4 {
    return this.#with(other, 0x4e);
  }

  or(other: I32x4): I32x4 {
    return this.#with(other, 0x50);
  }

  xor(other: I32x4): I32x4 {
    return this.#with(other, 0x51);
  }

  shiftLeft(bits: number): I32x4 {
    return new I32x4([...this.code, ...i32(bits).code, ...simd(0xab)]);
  }

  shiftRight(bits: number): I32x4 {
    return new I32x4([...this.code, ...i32(bits).code, ...simd(0xac)]);
  }

  shiftRightUnsigned(bits: number): I32x4 {
    return new I32x4([...this.code, ...i32(bits).code, ...simd(0xad)]);
  }

  /** Lanes of `a` where the mask is set, of `b` elsewhere. */
  select(a: F32x4, b: F32x4): F32x4 {
    return new F32x4([...a.code, ...b.code, ...this.code, ...simd(0x52)]);
  }

  selectInts(a: I32x4, b: I32x4): I32x4 {
    return new I32x4([...a.code, ...b.code, ...this.code, ...simd(0x52)]);
  }

  anyTrue(): I32 {
    return new I32([...this.code, ...simd(0x53)]);
  }

  shuffle(other: I32x4, lanes: Lanes): I32x4 {
    return new I32x4(shuffleCode(this, other, lanes));
  }

  lane(index: number): I32 {
    return new I32([...this.code, ...simd(0x1b), index]);
  }

  withLane(index: number, value: I32 | number): I32x4 {
    return new I32x4([...this.code, ...i32(value).code, ...simd(0x1c), index]);
  }

  /** Nearest float32 of signed lanes. */
  toF32x4(): F32x4 {
    return new F32x4([...this.code, ...simd(0xfa)]);
  }

  /** The same bits as floats. */
  bits(): F32x4 {
    return new F32x4(this.code);
  }
}

/** Two float64 lanes. */
export class F64x2 extends Value {
  #with(other: F64x2, opcode: number): F64x2 {
    return new F64x2(combined(this, other, opcode));
  }

  plus(other: F64x2): F64x2 {
    return this.#with(other, 0xf0);
  }

  times(other: F64x2): F64x2 {
    return this.#with(other, 0xf2);
  }

  lane(index: number): F64 {
    return new F64([...this.code, ...simd(0x21), index]);
  }

  /** The nearest float32 in lanes 0 and 1; the others are 0. */
  toF32x4(): F32x4 {
    return new F32x4([...this.code, ...simd(0x5e)]);
  }
}

/** The same number in both lanes. */
export function splatF64(value: F64 | number): F64x2 {
  return new F64x2([...f64(value).code, ...simd(0x14)]);
}

export function loadF64x2(address: I32, offset = 0): F64x2 {
  return new F64x2([...address.code, ...simd(0x00), ...memoryOperand(2, offset)]);
}

/** The same number in all four lanes. */
export function splat(value: F32 | number): F32x4 {
  if (value instanceof F32) return new F32x4([...f32(value).code, ...simd(0x13)]);
  const bytes = float32(value);
  return new F32x4([...simd(0x0c), ...bytes, ...bytes, ...bytes, ...bytes]);
}

export function splatInt(value: I32 | number): I32x4 {
  return new I32x4([...i32(value).code, ...simd(0x11)]);
}

export function loadF32x4(address: I32, offset = 0): F32x4 {
  return new F32x4([...address.code, ...simd(0x00), ...memoryOperand(2, offset)]);
}

/** Loads one float32 into all four lanes. */
export function loadSplat(address: I32, offset = 0): F32x4 {
  return new F32x4([...address.code, ...simd(0x09), ...memoryOperand(2, offset)]);
}

/** Loads two float32 into lanes 0 and 1; the others are 0. */
export function loadPair(address: I32, offset = 0): F32x4 {
  return new F32x4([...address.code, ...simd(0x5d), ...memoryOperand(2, offset)]);
}
