import { OPCODE } from './opcodes.ts';
import { perPart } from './vector.ts';
import { Floats } from './vectors.ts';

/** Whole numbers as floats, for floats of any size; infinities, NaN and the sign of 0 stay. */

/** The largest whole number that is not above. */
export const roundedDown = (x: Floats): Floats => new Floats(perPart([x], OPCODE['f32x4.floor']));

/** The smallest whole number that is not below. */
export const roundedUp = (x: Floats): Floats => new Floats(perPart([x], OPCODE['f32x4.ceil']));

/** The nearest whole number, of two the even one. */
export const roundedToEven = (x: Floats): Floats =>
  new Floats(perPart([x], OPCODE['f32x4.nearest']));
