import { unsigned } from './encoding.ts';
import { OPCODE } from './opcodes.ts';
import type { Code, Vector } from './vector.ts';
import { Floats, Ints, splat, splatInt } from './vectors.ts';

/**
 * Numbers in all lanes of a vector, made once at the start of a function. V8 takes several instructions
 * for a constant vector other than 0, and would take them in every turn of a loop.
 */
export class Constants {
  /** The code that makes them. */
  readonly code: number[] = [];
  readonly #declare: () => number;
  readonly #known = new Map<string, Code>();

  /** @param declare makes a local of 128 bits and returns its number */
  constructor(declare: () => number) {
    this.#declare = declare;
  }

  /** The same float32 in all lanes. */
  readonly splat = (value: number): Floats => new Floats([this.#made(splat(value))]);

  /** The same int32 in all lanes. */
  readonly splatInt = (value: number): Ints => new Ints([this.#made(splatInt(value))]);

  /** Code that puts a constant on the stack, out of the local that holds it. */
  #made({ parts: [constant] }: Vector): Code {
    const key = constant.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const index = unsigned(this.#declare());
    for (const byte of [...constant, ...OPCODE['local.set'], ...index]) this.code.push(byte);
    const read = [...OPCODE['local.get'], ...index];
    this.#known.set(key, read);
    return read;
  }
}
