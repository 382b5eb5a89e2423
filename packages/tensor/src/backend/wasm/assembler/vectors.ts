import { float32 } from './encoding.ts';
import { F32, F64, f64, I32, i32 } from './scalars.ts';
import { type Code, perPart, simd, Vector, withLane } from './vector.ts';

/** Four lane numbers: 0 to 3 pick from the first vector, 4 to 7 from the second. */
export type Lanes = readonly [number, number, number, number];

function shuffled(a: Vector, b: Vector, lanes: Lanes): Code[] {
  const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
  return perPart([a, b], [...simd(0x0d), ...bytes]);
}

function combined(a: Vector, b: Vector, opcode: number): Code[] {
  return perPart([a, b], simd(opcode));
}

/** Float32 lanes, four in each part. */
export class Floats extends Vector {
  /** The parts as values of four lanes. */
  get vectors(): Floats[] {
    return this.parts.map((part) => new Floats([part]));
  }

  #with(other: Floats, opcode: number): Floats {
    return new Floats(combined(this, other, opcode));
  }

  #map(opcode: number): Floats {
    return new Floats(perPart([this], simd(opcode)));
  }

  #compare(other: Floats, opcode: number): Ints {
    return new Ints(combined(this, other, opcode));
  }

  plus(other: Floats): Floats {
    return this.#with(other, 0xe4);
  }

  minus(other: Floats): Floats {
    return this.#with(other, 0xe5);
  }

  times(other: Floats): Floats {
    return this.#with(other, 0xe6);
  }

  dividedBy(other: Floats): Floats {
    return this.#with(other, 0xe7);
  }

  /** IEEE minimum: NaN if either is. */
  min(other: Floats): Floats {
    return this.#with(other, 0xe8);
  }

  /** IEEE maximum: NaN if either is. */
  max(other: Floats): Floats {
    return this.#with(other, 0xe9);
  }

  /** `this < other ? other : this`, one instruction: this where either is NaN. */
  raisedTo(other: Floats): Floats {
    return this.#with(other, 0xeb);
  }

  /** max(0, ·), one instruction; NaN stays, and −0 may stay −0. */
  positivePart(): Floats {
    return this.raisedTo(splat(0));
  }

  abs(): Floats {
    return this.#map(0xe0);
  }

  negated(): Floats {
    return this.#map(0xe1);
  }

  sqrt(): Floats {
    return this.#map(0xe3);
  }

  equals(other: Floats): Ints {
    return this.#compare(other, 0x41);
  }

  notEquals(other: Floats): Ints {
    return this.#compare(other, 0x42);
  }

  lessThan(other: Floats): Ints {
    return this.#compare(other, 0x43);
  }

  greaterThan(other: Floats): Ints {
    return this.#compare(other, 0x44);
  }

  atMost(other: Floats): Ints {
    return this.#compare(other, 0x45);
  }

  atLeast(other: Floats): Ints {
    return this.#compare(other, 0x46);
  }

  /** Four of the eight lanes of this and `other`. */
  shuffle(other: Floats, lanes: Lanes): Floats {
    return new Floats(shuffled(this, other, lanes));
  }

  lane(index: number): F32 {
    return new F32([...this.parts[index >> 2], ...simd(0x1f), index & 3]);
  }

  withLane(index: number, value: F32): Floats {
    return new Floats(withLane(this, index, [...value.code, ...simd(0x20)]));
  }

  /** The same bits as integers. */
  bits(): Ints {
    return new Ints(this.parts);
  }

  /** Lanes 0 and 1. */
  lowToDoubles(): Doubles {
    return new Doubles(perPart([this], simd(0x5f)));
  }

  /** Lanes 2 and 3. */
  highToDoubles(): Doubles {
    return this.shuffle(this, [2, 3, 2, 3]).lowToDoubles();
  }

  /** Integers nearest to zero; saturates, and NaN gives 0. */
  toInts(): Ints {
    return new Ints(perPart([this], simd(0xf8)));
  }
}

/** Int32 lanes, or masks: all bits of a lane set for true. */
export class Ints extends Vector {
  #with(other: Ints, opcode: number): Ints {
    return new Ints(combined(this, other, opcode));
  }

  plus(other: Ints): Ints {
    return this.#with(other, 0xae);
  }

  minus(other: Ints): Ints {
    return this.#with(other, 0xb1);
  }

  equals(other: Ints): Ints {
    return this.#with(other, 0x37);
  }

  lessThanUnsigned(other: Ints): Ints {
    return this.#with(other, 0x3a);
  }

  times(other: Ints): Ints {
    return this.#with(other, 0xb5);
  }

  max(other: Ints): Ints {
    return this.#with(other, 0xb8);
  }

  /** Full 64-bit products of unsigned lanes 0 and 1, each as two lanes, low word first. */
  wideProductLow(other: Ints): Ints {
    return this.#with(other, 0xde);
  }

  /** The same of lanes 2 and 3. */
  wideProductHigh(other: Ints): Ints {
    return this.#with(other, 0xdf);
  }

  and(other: Ints): Ints {
    return this.#with(other, 0x4e);
  }

  /** Bits of this that are not set in `other`. */
  andNot(other: Ints): Ints {
    return this.#with(other, 0x4f);
  }

  or(other: Ints): Ints {
    return this.#with(other, 0x50);
  }

  xor(other: Ints): Ints {
    return this.#with(other, 0x51);
  }

  shiftLeft(bits: number): Ints {
    return new Ints(perPart([this], [...i32(bits).code, ...simd(0xab)]));
  }

  shiftRight(bits: number): Ints {
    return new Ints(perPart([this], [...i32(bits).code, ...simd(0xac)]));
  }

  shiftRightUnsigned(bits: number): Ints {
    return new Ints(perPart([this], [...i32(bits).code, ...simd(0xad)]));
  }

  /** Lanes of `a` where the mask is set, of `b` elsewhere. */
  select(a: Floats, b: Floats): Floats {
    return new Floats(perPart([a, b, this], simd(0x52)));
  }

  selectInts(a: Ints, b: Ints): Ints {
    return new Ints(perPart([a, b, this], simd(0x52)));
  }

  /** Whether any lane of a mask is set. */
  anyTrue(): I32 {
    // Parts are added, which keeps masks apart from 0: V8 packs what leads to such a sum.
    const [first, ...others] = this.parts.map((part) => new Ints([part]));
    const any = others.reduce((all, part) => all.plus(part), first);
    return new I32([...any.parts[0], ...simd(0x53)]);
  }

  shuffle(other: Ints, lanes: Lanes): Ints {
    return new Ints(shuffled(this, other, lanes));
  }

  lane(index: number): I32 {
    return new I32([...this.parts[index >> 2], ...simd(0x1b), index & 3]);
  }

  withLane(index: number, value: I32 | number): Ints {
    return new Ints(withLane(this, index, [...i32(value).code, ...simd(0x1c)]));
  }

  /** Nearest float32 of signed lanes. */
  toFloats(): Floats {
    return new Floats(perPart([this], simd(0xfa)));
  }

  /** The same bits as floats. */
  bits(): Floats {
    return new Floats(this.parts);
  }
}

/** Float64 lanes, two in each part. */
export class Doubles extends Vector {
  #with(other: Doubles, opcode: number): Doubles {
    return new Doubles(combined(this, other, opcode));
  }

  plus(other: Doubles): Doubles {
    return this.#with(other, 0xf0);
  }

  times(other: Doubles): Doubles {
    return this.#with(other, 0xf2);
  }

  lane(index: number): F64 {
    return new F64([...this.parts[index >> 1], ...simd(0x21), index & 1]);
  }

  /** The nearest float32 in lanes 0 and 1; the others are 0. */
  toFloats(): Floats {
    return new Floats(perPart([this], simd(0x5e)));
  }
}

/** The same number in all four lanes; in loops better from `FunctionBuilder.constants`. */
export function splat(value: F32 | number): Floats {
  if (value instanceof F32) return new Floats([[...value.code, ...simd(0x13)]]);
  const bytes = float32(value);
  return new Floats([[...simd(0x0c), ...bytes, ...bytes, ...bytes, ...bytes]]);
}

export function splatInt(value: I32 | number): Ints {
  if (value instanceof I32) return new Ints([[...value.code, ...simd(0x11)]]);
  const bytes = [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
  return new Ints([[...simd(0x0c), ...bytes, ...bytes, ...bytes, ...bytes]]);
}

/** The same number in both lanes. */
export function splatF64(value: F64 | number): Doubles {
  return new Doubles([[...f64(value).code, ...simd(0x14)]]);
}

/** The parts of several vectors as one value. */
export function sideBySide(vectors: readonly Floats[]): Floats {
  return new Floats(vectors.flatMap(({ parts }) => parts));
}
