import { OPCODE, type Opcode } from './opcodes.ts';
import { I32, memoryOperand } from './scalars.ts';
import { type Code, combined, Vector } from './vector.ts';
import { Ints, splatInt } from './vectors.ts';

/** Elements of one byte: sixteen in a vector, or as the int32 of sixteen lanes. */

/** Bytes side by side, sixteen in each part. */
export class Bytes extends Vector {
  #with(other: Bytes, opcode: Opcode): Bytes {
    return new Bytes(combined(this, other, opcode));
  }

  /** A mask: all bits of a byte set for true. */
  equals(other: Bytes): Bytes {
    return this.#with(other, 'i8x16.eq');
  }

  /** Bytes of `a` where the mask is set, of `b` elsewhere. */
  select(a: Bytes, b: Bytes): Bytes {
    const [codeA, codeB, mask] = [a, b, this].map(({ parts: [code] }) => code);
    return new Bytes([[...codeA, ...codeB, ...mask, ...OPCODE['v128.bitselect']]]);
  }

  /** As int32 of sixteen lanes, from 0 to 255; better of a local, as it is computed for each part. */
  toInts(): Ints {
    const [all] = this.parts;
    const extended = (half: 'low' | 'high', quarter: 'low' | 'high'): Code => [
      ...all,
      ...OPCODE[`i16x8.extend_${half}_i8x16_u`],
      ...OPCODE[`i32x4.extend_${quarter}_i16x8_u`],
    ];
    return new Ints([
      extended('low', 'low'),
      extended('low', 'high'),
      extended('high', 'low'),
      extended('high', 'high'),
    ]);
  }
}

/** Sixteen bytes out of memory. */
export function loadBytes(address: I32, offset = 0): Bytes {
  return new Bytes([[...address.code, ...OPCODE['v128.load'], ...memoryOperand(0, offset)]]);
}

/** One byte sixteen times. */
export function loadByteSplat(address: I32): Bytes {
  return new Bytes([[...address.code, ...OPCODE['v128.load8_splat'], ...memoryOperand(0, 0)]]);
}

/** One byte, from 0 to 255. */
export function loadByte(address: I32): I32 {
  return new I32([...address.code, ...OPCODE['i32.load8_u'], ...memoryOperand(0, 0)]);
}

/** The lowest bytes of sixteen lanes, or of four that stand for all. */
export function lowestBytes(lanes: Ints): Bytes {
  // Instructions that narrow saturate, so what is above the byte goes first.
  const [a, b = a, c = a, d = a] = lanes.and(splatInt(0xff)).parts;
  const narrow = OPCODE['i16x8.narrow_i32x4_s'];
  return new Bytes([
    [...a, ...b, ...narrow, ...c, ...d, ...narrow, ...OPCODE['i8x16.narrow_i16x8_u']],
  ]);
}
