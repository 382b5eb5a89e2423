import { OPCODE, type Opcode } from './opcodes.ts';
import { F64, f64 } from './scalars.ts';
import { combined, perPart, Vector } from './vector.ts';
import { Floats } from './vectors.ts';

/** Float64 lanes, two in each part. */
export class Doubles extends Vector {
  #with(other: Doubles, opcode: Opcode): Doubles {
    return new Doubles(combined(this, other, opcode));
  }

  plus(other: Doubles): Doubles {
    return this.#with(other, 'f64x2.add');
  }

  minus(other: Doubles): Doubles {
    return this.#with(other, 'f64x2.sub');
  }

  times(other: Doubles): Doubles {
    return this.#with(other, 'f64x2.mul');
  }

  dividedBy(other: Doubles): Doubles {
    return this.#with(other, 'f64x2.div');
  }

  /** NaN if either is. */
  min(other: Doubles): Doubles {
    return this.#with(other, 'f64x2.min');
  }

  /** NaN if either is. */
  max(other: Doubles): Doubles {
    return this.#with(other, 'f64x2.max');
  }

  /** The nearest whole numbers, of two the even one. */
  roundedToEven(): Doubles {
    return new Doubles(perPart([this], OPCODE['f64x2.nearest']));
  }

  lane(index: number): F64 {
    return new F64([...this.parts[index >> 1], ...OPCODE['f64x2.extract_lane'], index & 1]);
  }

  /** The nearest float32 in lanes 0 and 1; the others are 0. */
  toFloats(): Floats {
    return new Floats(perPart([this], OPCODE['f32x4.demote_f64x2_zero']));
  }
}

/** Lanes 0 and 1. */
export function lowToDoubles(floats: Floats): Doubles {
  return new Doubles(perPart([floats], OPCODE['f64x2.promote_low_f32x4']));
}

/** Lanes 2 and 3. */
export function highToDoubles(floats: Floats): Doubles {
  return lowToDoubles(floats.shuffle(floats, [2, 3, 2, 3]));
}

/** The same number in both lanes. */
export function splatF64(value: F64 | number): Doubles {
  return new Doubles([[...f64(value).code, ...OPCODE['f64x2.splat']]]);
}
