import { OPCODE, type Opcode } from './opcodes.ts';

/**
 * A value of one or several vectors of 128 bits side by side, its parts, each with code that leaves
 * it on the stack. An operation works on all parts alike; an operand of one part meets every part of
 * the other.
 *
 * Engines that know 256-bit vectors pack two neighbouring parts into one: what kernels say about
 * `Floats` of eight lanes then takes as many instructions as for four.
 */
export abstract class Vector {
  readonly parts: readonly Code[];

  constructor(parts: readonly Code[]) {
    this.parts = parts;
  }

  /** How many numbers of 32 bits it has. */
  get lanes(): number {
    return this.parts.length * 4;
  }
}

export type Code = readonly number[];

/** The code of an instruction behind that of its operands, for each part. */
export function perPart(operands: readonly Vector[], instruction: Code): Code[] {
  const count = operands.reduce((most, { parts }) => Math.max(most, parts.length), 1);
  return Array.from({ length: count }, (_, i) =>
    operands.flatMap(({ parts }) => (parts.length === 1 ? parts[0] : parts[i])).concat(instruction),
  );
}

/** The code of an instruction on two vectors. */
export function combined(a: Vector, b: Vector, opcode: Opcode): Code[] {
  return perPart([a, b], OPCODE[opcode]);
}

/** The code of all parts, one with a lane replaced by `instruction`. */
export function withLane({ parts }: Vector, index: number, instruction: Code): Code[] {
  return parts.map((part, i) => (i === index >> 2 ? [...part, ...instruction, index & 3] : part));
}
