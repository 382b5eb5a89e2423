import { float32, float64, signed, unsigned } from './encoding.ts';

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

  #with(other: I32 | number, opcode: number): I32 {
    return new I32([...this.code, ...i32(other).code, opcode]);
  }

  plus(other: I32 | number): I32 {
    const right = i32(other);
    if (right.constant === 0) return this;
    if (this.constant === 0) return right;
    return this.#with(right, 0x6a);
  }

  minus(other: I32 | number): I32 {
    return i32(other).constant === 0 ? this : this.#with(other, 0x6b);
  }

  times(other: I32 | number): I32 {
    return i32(other).constant === 1 ? this : this.#with(other, 0x6c);
  }

  /** Quotient of unsigned numbers, rounded down. */
  dividedBy(other: I32 | number): I32 {
    return i32(other).constant === 1 ? this : this.#with(other, 0x6e);
  }

  /** Remainder of unsigned numbers. */
  modulo(other: I32 | number): I32 {
    return this.#with(other, 0x70);
  }

  and(other: I32 | number): I32 {
    return this.#with(other, 0x71);
  }

  shiftLeft(bits: number): I32 {
    return this.#with(bits, 0x74);
  }

  shiftRightUnsigned(bits: number): I32 {
    return this.#with(bits, 0x76);
  }

  isZero(): I32 {
    return new I32([...this.code, 0x45]);
  }

  equals(other: I32 | number): I32 {
    return this.#with(other, 0x46);
  }

  notEquals(other: I32 | number): I32 {
    return this.#with(other, 0x47);
  }

  lessThan(other: I32 | number): I32 {
    return this.#with(other, 0x48);
  }

  greaterThan(other: I32 | number): I32 {
    return this.#with(other, 0x4a);
  }

  atMost(other: I32 | number): I32 {
    return this.#with(other, 0x4c);
  }

  atLeast(other: I32 | number): I32 {
    return this.#with(other, 0x4e);
  }

  /** The smaller of two signed numbers; both are computed twice, so pass locals or constants. */
  min(other: I32 | number): I32 {
    return select(this.lessThan(other), this, i32(other));
  }

  /** The larger of two signed numbers; both are computed twice, so pass locals or constants. */
  max(other: I32 | number): I32 {
    return select(this.greaterThan(other), this, i32(other));
  }

  toF32(): F32 {
    return new F32([...this.code, 0xb2]);
  }

  toF64(): F64 {
    return new F64([...this.code, 0xb7]);
  }
}

/** A float32. */
export class F32 extends Value {
  #with(other: F32 | number, opcode: number): F32 {
    return new F32([...this.code, ...f32(other).code, opcode]);
  }

  #compare(other: F32 | number, opcode: number): I32 {
    return new I32([...this.code, ...f32(other).code, opcode]);
  }

  plus(other: F32 | number): F32 {
    return this.#with(other, 0x92);
  }

  minus(other: F32 | number): F32 {
    return this.#with(other, 0x93);
  }

  times(other: F32 | number): F32 {
    return this.#with(other, 0x94);
  }

  dividedBy(other: F32 | number): F32 {
    return this.#with(other, 0x95);
  }

  min(other: F32 | number): F32 {
    return this.#with(other, 0x96);
  }

  max(other: F32 | number): F32 {
    return this.#with(other, 0x97);
  }

  sqrt(): F32 {
    return new F32([...this.code, 0x91]);
  }

  toF64(): F64 {
    return new F64([...this.code, 0xbb]);
  }

  notEquals(other: F32 | number): I32 {
    return this.#compare(other, 0x5c);
  }

  greaterThan(other: F32 | number): I32 {
    return this.#compare(other, 0x5e);
  }

  atMost(other: F32 | number): I32 {
    return this.#compare(other, 0x5f);
  }
}

/** A float64: for sums, which are rounded to float32 only in the end. */
export class F64 extends Value {
  #with(other: F64 | number, opcode: number): F64 {
    return new F64([...this.code, ...f64(other).code, opcode]);
  }

  plus(other: F64 | number): F64 {
    return this.#with(other, 0xa0);
  }

  minus(other: F64 | number): F64 {
    return this.#with(other, 0xa1);
  }

  times(other: F64 | number): F64 {
    return this.#with(other, 0xa2);
  }

  dividedBy(other: F64 | number): F64 {
    return this.#with(other, 0xa3);
  }

  /** The nearest float32. */
  toF32(): F32 {
    return new F32([...this.code, 0xb6]);
  }
}

export function i32(value: I32 | number): I32 {
  return typeof value === 'number' ? new I32([0x41, ...signed(value)], value) : value;
}

export function f32(value: F32 | number): F32 {
  return typeof value === 'number' ? new F32([0x43, ...float32(value)]) : value;
}

export function f64(value: F64 | number): F64 {
  return typeof value === 'number' ? new F64([0x44, ...float64(value)]) : value;
}

/** `condition ? a : b`, both computed. */
function select(condition: I32, a: I32, b: I32): I32 {
  return new I32([...a.code, ...b.code, ...condition.code, 0x1b]);
}

/** Where a load or store goes: an address, and bytes added to it without code of their own. */
export function memoryOperand(alignment: number, offset: number): number[] {
  return [alignment, ...unsigned(offset)];
}

export function loadI32(address: I32, offset = 0): I32 {
  return new I32([...address.code, 0x28, ...memoryOperand(2, offset)]);
}

export function loadF32(address: I32, offset = 0): F32 {
  return new F32([...address.code, 0x2a, ...memoryOperand(2, offset)]);
}

export function loadF64(address: I32, offset = 0): F64 {
  return new F64([...address.code, 0x2b, ...memoryOperand(2, offset)]);
}
