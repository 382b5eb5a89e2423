import { float32, float64, signed, unsigned } from './encoding.ts';
import { OPCODE, type Opcode } from './opcodes.ts';

/**
 * Values are expressions: the code that leaves one value on WebAssembly's stack. Combining two of
 * them makes a new one, so kernels read like arithmetic: `x.plus(row.times(4))`.
 */
export abstract class Value {
  readonly code: readonly number[];

  constructor(code: readonly number[]) {
    this.code = code;
  }
}

/** A 32-bit integer or address. Comparisons are signed where the name does not say otherwise. */
export class I32 extends Value {
  /** The number, where it is known while assembling. */
  readonly constant: number | null;

  constructor(code: readonly number[], constant: number | null = null) {
    super(code);
    this.constant = constant;
  }

  #with(other: I32 | number, opcode: Opcode): I32 {
    return new I32([...this.code, ...i32(other).code, ...OPCODE[opcode]]);
  }

  /** Modulo 2³². */
  plus(other: I32 | number): I32 {
    const right = i32(other);
    if (right.constant === 0) return this;
    if (this.constant === 0) return right;
    return this.#with(right, 'i32.add');
  }

  /** Modulo 2³². */
  minus(other: I32 | number): I32 {
    return i32(other).constant === 0 ? this : this.#with(other, 'i32.sub');
  }

  /** Modulo 2³². */
  times(other: I32 | number): I32 {
    return i32(other).constant === 1 ? this : this.#with(other, 'i32.mul');
  }

  /** Quotient of unsigned numbers, rounded down; by 0 it traps. */
  dividedBy(other: I32 | number): I32 {
    return i32(other).constant === 1 ? this : this.#with(other, 'i32.div_u');
  }

  /** Remainder of unsigned numbers; by 0 it traps. */
  modulo(other: I32 | number): I32 {
    return this.#with(other, 'i32.rem_u');
  }

  /** Bit by bit. */
  and(other: I32 | number): I32 {
    return this.#with(other, 'i32.and');
  }

  /** By 0 to 31 bits. */
  shiftLeft(bits: number): I32 {
    return this.#with(bits, 'i32.shl');
  }

  /** By 0 to 31 bits; zeros come in. */
  shiftRightUnsigned(bits: number): I32 {
    return this.#with(bits, 'i32.shr_u');
  }

  /** 1 if it is 0, else 0. */
  isZero(): I32 {
    return new I32([...this.code, ...OPCODE['i32.eqz']]);
  }

  /** 1 or 0. */
  equals(other: I32 | number): I32 {
    return this.#with(other, 'i32.eq');
  }

  /** 1 or 0. */
  notEquals(other: I32 | number): I32 {
    return this.#with(other, 'i32.ne');
  }

  /** Of signed numbers. */
  lessThan(other: I32 | number): I32 {
    return this.#with(other, 'i32.lt_s');
  }

  /** Of signed numbers. */
  greaterThan(other: I32 | number): I32 {
    return this.#with(other, 'i32.gt_s');
  }

  /** Of signed numbers. */
  atMost(other: I32 | number): I32 {
    return this.#with(other, 'i32.le_s');
  }

  /** Of signed numbers. */
  atLeast(other: I32 | number): I32 {
    return this.#with(other, 'i32.ge_s');
  }

  /** The smaller of two signed numbers; both are computed twice, so pass locals or constants. */
  min(other: I32 | number): I32 {
    return select(this.lessThan(other), this, i32(other));
  }

  /** The larger of two signed numbers; both are computed twice, so pass locals or constants. */
  max(other: I32 | number): I32 {
    return select(this.greaterThan(other), this, i32(other));
  }

  /** The nearest float32 of a signed number. */
  toF32(): F32 {
    return new F32([...this.code, ...OPCODE['f32.convert_i32_s']]);
  }

  /** The same signed number. */
  toF64(): F64 {
    return new F64([...this.code, ...OPCODE['f64.convert_i32_s']]);
  }
}

/** A float32. */
export class F32 extends Value {
  #with(other: F32 | number, opcode: Opcode): F32 {
    return new F32([...this.code, ...f32(other).code, ...OPCODE[opcode]]);
  }

  #compare(other: F32 | number, opcode: Opcode): I32 {
    return new I32([...this.code, ...f32(other).code, ...OPCODE[opcode]]);
  }

  /** Rounded to float32. */
  plus(other: F32 | number): F32 {
    return this.#with(other, 'f32.add');
  }

  /** Rounded to float32. */
  minus(other: F32 | number): F32 {
    return this.#with(other, 'f32.sub');
  }

  /** Rounded to float32. */
  times(other: F32 | number): F32 {
    return this.#with(other, 'f32.mul');
  }

  /** Rounded to float32; ±Infinity or NaN by 0. */
  dividedBy(other: F32 | number): F32 {
    return this.#with(other, 'f32.div');
  }

  /** NaN if either is. */
  min(other: F32 | number): F32 {
    return this.#with(other, 'f32.min');
  }

  /** NaN if either is. */
  max(other: F32 | number): F32 {
    return this.#with(other, 'f32.max');
  }

  /** NaN below 0. */
  sqrt(): F32 {
    return new F32([...this.code, ...OPCODE['f32.sqrt']]);
  }

  /** The same number. */
  toF64(): F64 {
    return new F64([...this.code, ...OPCODE['f64.promote_f32']]);
  }

  /** 1 or 0; 1 if either is NaN. */
  notEquals(other: F32 | number): I32 {
    return this.#compare(other, 'f32.ne');
  }

  /** 1 or 0; 0 if either is NaN. */
  greaterThan(other: F32 | number): I32 {
    return this.#compare(other, 'f32.gt');
  }

  /** 1 or 0; 0 if either is NaN. */
  atMost(other: F32 | number): I32 {
    return this.#compare(other, 'f32.le');
  }
}

/** A float64: for sums, which are rounded to float32 only in the end. */
export class F64 extends Value {
  #with(other: F64 | number, opcode: Opcode): F64 {
    return new F64([...this.code, ...f64(other).code, ...OPCODE[opcode]]);
  }

  plus(other: F64 | number): F64 {
    return this.#with(other, 'f64.add');
  }

  minus(other: F64 | number): F64 {
    return this.#with(other, 'f64.sub');
  }

  times(other: F64 | number): F64 {
    return this.#with(other, 'f64.mul');
  }

  dividedBy(other: F64 | number): F64 {
    return this.#with(other, 'f64.div');
  }

  /** The nearest float32. */
  toF32(): F32 {
    return new F32([...this.code, ...OPCODE['f32.demote_f64']]);
  }
}

export function i32(value: I32 | number): I32 {
  return typeof value === 'number'
    ? new I32([...OPCODE['i32.const'], ...signed(value)], value)
    : value;
}

export function f32(value: F32 | number): F32 {
  return typeof value === 'number' ? new F32([...OPCODE['f32.const'], ...float32(value)]) : value;
}

export function f64(value: F64 | number): F64 {
  return typeof value === 'number' ? new F64([...OPCODE['f64.const'], ...float64(value)]) : value;
}

/** A number of the same type as `value`. */
export function constantLike(value: Value, operand: number): Value {
  if (value instanceof F64) return f64(operand);
  return value instanceof F32 ? f32(operand) : i32(operand);
}

/** `condition ? a : b`, both computed. */
function select(condition: I32, a: I32, b: I32): I32 {
  return new I32([...a.code, ...b.code, ...condition.code, ...OPCODE.select]);
}

/** Where a load or store goes: an address, and bytes added to it without code of their own. */
export function memoryOperand(alignment: number, offset: number): number[] {
  return [alignment, ...unsigned(offset)];
}

export function loadI32(address: I32, offset = 0): I32 {
  return new I32([...address.code, ...OPCODE['i32.load'], ...memoryOperand(2, offset)]);
}

export function loadF32(address: I32, offset = 0): F32 {
  return new F32([...address.code, ...OPCODE['f32.load'], ...memoryOperand(2, offset)]);
}

export function loadF64(address: I32, offset = 0): F64 {
  return new F64([...address.code, ...OPCODE['f64.load'], ...memoryOperand(2, offset)]);
}
