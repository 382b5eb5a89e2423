import { float32 } from './encoding.ts';
import { OPCODE, type Opcode } from './opcodes.ts';
import { F32, I32, i32 } from './scalars.ts';
import { type Code, combined, perPart, Vector, withLane } from './vector.ts';

/** Four lane numbers: 0 to 3 pick from the first vector, 4 to 7 from the second. */
export type Lanes = readonly [number, number, number, number];

function shuffled(a: Vector, b: Vector, lanes: Lanes): Code[] {
  const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
  return perPart([a, b], [...OPCODE['i8x16.shuffle'], ...bytes]);
}

/** Float32 lanes, four in each part. */
export class Floats extends Vector {
  /** The parts as values of four lanes. */
  get vectors(): Floats[] {
    return this.parts.map((part) => new Floats([part]));
  }

  #with(other: Floats, opcode: Opcode): Floats {
    return new Floats(combined(this, other, opcode));
  }

  #map(opcode: Opcode): Floats {
    return new Floats(perPart([this], OPCODE[opcode]));
  }

  #compare(other: Floats, opcode: Opcode): Ints {
    return new Ints(combined(this, other, opcode));
  }

  /** Lane by lane, rounded to float32. */
  plus(other: Floats): Floats {
    return this.#with(other, 'f32x4.add');
  }

  /** Lane by lane, rounded to float32. */
  minus(other: Floats): Floats {
    return this.#with(other, 'f32x4.sub');
  }

  /** Lane by lane, rounded to float32. */
  times(other: Floats): Floats {
    return this.#with(other, 'f32x4.mul');
  }

  /** Lane by lane, rounded to float32. */
  dividedBy(other: Floats): Floats {
    return this.#with(other, 'f32x4.div');
  }

  /** IEEE minimum: NaN if either is. */
  min(other: Floats): Floats {
    return this.#with(other, 'f32x4.min');
  }

  /** IEEE maximum: NaN if either is. */
  max(other: Floats): Floats {
    return this.#with(other, 'f32x4.max');
  }

  /** `this < other ? other : this`, one instruction: this where either is NaN. */
  raisedTo(other: Floats): Floats {
    return this.#with(other, 'f32x4.pmax');
  }

  /** max(0, ·), one instruction; NaN stays, and −0 may stay −0. */
  positivePart(): Floats {
    return this.raisedTo(splat(0));
  }

  /** Clears the signs, of NaN too. */
  abs(): Floats {
    return this.#map('f32x4.abs');
  }

  /** Turns the signs, of NaN and 0 too. */
  negated(): Floats {
    return this.#map('f32x4.neg');
  }

  /** NaN below 0. */
  sqrt(): Floats {
    return this.#map('f32x4.sqrt');
  }

  /** A mask; false where either is NaN. */
  equals(other: Floats): Ints {
    return this.#compare(other, 'f32x4.eq');
  }

  /** A mask; true where either is NaN. */
  notEquals(other: Floats): Ints {
    return this.#compare(other, 'f32x4.ne');
  }

  /** A mask; false where either is NaN. */
  lessThan(other: Floats): Ints {
    return this.#compare(other, 'f32x4.lt');
  }

  /** A mask; false where either is NaN. */
  greaterThan(other: Floats): Ints {
    return this.#compare(other, 'f32x4.gt');
  }

  /** A mask; false where either is NaN. */
  atMost(other: Floats): Ints {
    return this.#compare(other, 'f32x4.le');
  }

  /** A mask; false where either is NaN. */
  atLeast(other: Floats): Ints {
    return this.#compare(other, 'f32x4.ge');
  }

  /** Four of the eight lanes of this and `other`. */
  shuffle(other: Floats, lanes: Lanes): Floats {
    return new Floats(shuffled(this, other, lanes));
  }

  /** One lane. */
  lane(index: number): F32 {
    return new F32([...this.parts[index >> 2], ...OPCODE['f32x4.extract_lane'], index & 3]);
  }

  /** The vector with one lane replaced. */
  withLane(index: number, value: F32): Floats {
    return new Floats(withLane(this, index, [...value.code, ...OPCODE['f32x4.replace_lane']]));
  }

  /** The same bits as integers. */
  bits(): Ints {
    return new Ints(this.parts);
  }

  /** Integers nearest to zero; saturates, and NaN gives 0. */
  toInts(): Ints {
    return new Ints(perPart([this], OPCODE['i32x4.trunc_sat_f32x4_s']));
  }
}

/** Int32 lanes, or masks: all bits of a lane set for true. */
export class Ints extends Vector {
  #with(other: Ints, opcode: Opcode): Ints {
    return new Ints(combined(this, other, opcode));
  }

  /** Lane by lane, modulo 2³². */
  plus(other: Ints): Ints {
    return this.#with(other, 'i32x4.add');
  }

  /** Lane by lane, modulo 2³². */
  minus(other: Ints): Ints {
    return this.#with(other, 'i32x4.sub');
  }

  /** A mask. */
  equals(other: Ints): Ints {
    return this.#with(other, 'i32x4.eq');
  }

  /** A mask, of signed lanes. */
  lessThan(other: Ints): Ints {
    return this.#with(other, 'i32x4.lt_s');
  }

  /** A mask. */
  lessThanUnsigned(other: Ints): Ints {
    return this.#with(other, 'i32x4.lt_u');
  }

  /** Lane by lane, modulo 2³². */
  times(other: Ints): Ints {
    return this.#with(other, 'i32x4.mul');
  }

  /** Of signed lanes. */
  max(other: Ints): Ints {
    return this.#with(other, 'i32x4.max_s');
  }

  /** Full 64-bit products of unsigned lanes 0 and 1, each as two lanes, low word first. */
  wideProductLow(other: Ints): Ints {
    return this.#with(other, 'i64x2.extmul_low_i32x4_u');
  }

  /** The same of lanes 2 and 3. */
  wideProductHigh(other: Ints): Ints {
    return this.#with(other, 'i64x2.extmul_high_i32x4_u');
  }

  /** Bit by bit. */
  and(other: Ints): Ints {
    return this.#with(other, 'v128.and');
  }

  /** Bits of this that are not set in `other`. */
  andNot(other: Ints): Ints {
    return this.#with(other, 'v128.andnot');
  }

  /** Bit by bit. */
  or(other: Ints): Ints {
    return this.#with(other, 'v128.or');
  }

  /** Bit by bit. */
  xor(other: Ints): Ints {
    return this.#with(other, 'v128.xor');
  }

  /** By 0 to 31 bits. */
  shiftLeft(bits: number): Ints {
    return new Ints(perPart([this], [...i32(bits).code, ...OPCODE['i32x4.shl']]));
  }

  /** By 0 to 31 bits; the sign comes in. */
  shiftRight(bits: number): Ints {
    return new Ints(perPart([this], [...i32(bits).code, ...OPCODE['i32x4.shr_s']]));
  }

  /** By 0 to 31 bits; zeros come in. */
  shiftRightUnsigned(bits: number): Ints {
    return new Ints(perPart([this], [...i32(bits).code, ...OPCODE['i32x4.shr_u']]));
  }

  /** Lanes of `a` where the mask is set, of `b` elsewhere. */
  select(a: Floats, b: Floats): Floats {
    return new Floats(perPart([a, b, this], OPCODE['v128.bitselect']));
  }

  /** As `select`, of int32. */
  selectInts(a: Ints, b: Ints): Ints {
    return new Ints(perPart([a, b, this], OPCODE['v128.bitselect']));
  }

  /** Whether any lane of a mask is set. */
  anyTrue(): I32 {
    // Parts are added, which keeps masks apart from 0: V8 packs what leads to such a sum.
    const [first, ...others] = this.parts.map((part) => new Ints([part]));
    const any = others.reduce((all, part) => all.plus(part), first);
    return new I32([...any.parts[0], ...OPCODE['v128.any_true']]);
  }

  /** Four of the eight lanes of this and `other`. */
  shuffle(other: Ints, lanes: Lanes): Ints {
    return new Ints(shuffled(this, other, lanes));
  }

  /** One lane. */
  lane(index: number): I32 {
    return new I32([...this.parts[index >> 2], ...OPCODE['i32x4.extract_lane'], index & 3]);
  }

  /** The vector with one lane replaced. */
  withLane(index: number, value: I32 | number): Ints {
    return new Ints(withLane(this, index, [...i32(value).code, ...OPCODE['i32x4.replace_lane']]));
  }

  /** Nearest float32 of signed lanes. */
  toFloats(): Floats {
    return new Floats(perPart([this], OPCODE['f32x4.convert_i32x4_s']));
  }

  /** The same bits as floats. */
  bits(): Floats {
    return new Floats(this.parts);
  }
}

/** The same number in all four lanes; in loops better from `FunctionBuilder.constants`. */
export function splat(value: F32 | number): Floats {
  if (value instanceof F32) return new Floats([[...value.code, ...OPCODE['f32x4.splat']]]);
  const bytes = float32(value);
  return new Floats([[...OPCODE['v128.const'], ...bytes, ...bytes, ...bytes, ...bytes]]);
}

/** As `splat`, for int32. */
export function splatInt(value: I32 | number): Ints {
  if (value instanceof I32) return new Ints([[...value.code, ...OPCODE['i32x4.splat']]]);
  const bytes = [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
  return new Ints([[...OPCODE['v128.const'], ...bytes, ...bytes, ...bytes, ...bytes]]);
}

/** The parts of several vectors as one value. */
export function sideBySide(vectors: readonly Floats[]): Floats {
  return new Floats(vectors.flatMap(({ parts }) => parts));
}
