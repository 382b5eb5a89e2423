import { Doubles } from './doubles.ts';
import { OPCODE, type Opcode } from './opcodes.ts';
import { type I32, memoryOperand } from './scalars.ts';
import { Floats } from './vectors.ts';

/** Vectors out of memory: at an address, and a constant number of bytes behind it. */

function load(opcode: Opcode, address: I32, offset: number): number[] {
  return [...address.code, ...OPCODE[opcode], ...memoryOperand(2, offset)];
}

/** `lanes` float32, a multiple of 4. */
export function loadFloats(address: I32, offset: number, lanes: number): Floats {
  const starts = Array.from({ length: lanes / 4 }, (_, part) => offset + part * 16);
  return new Floats(starts.map((start) => load('v128.load', address, start)));
}

export function loadF32x4(address: I32, offset = 0): Floats {
  return loadFloats(address, offset, 4);
}

/** Loads one float32 into all four lanes. */
export function loadSplat(address: I32, offset = 0): Floats {
  return new Floats([load('v128.load32_splat', address, offset)]);
}

/** Loads two float32 into lanes 0 and 1; the others are 0. */
export function loadPair(address: I32, offset = 0): Floats {
  return new Floats([load('v128.load64_zero', address, offset)]);
}

export function loadF64x2(address: I32, offset = 0): Doubles {
  return new Doubles([load('v128.load', address, offset)]);
}

/** `lanes` float32, each the second behind the one before. */
export function loadEverySecond(address: I32, offset: number, lanes: number): Floats {
  const vectors = (first: number): Floats => {
    const starts = Array.from({ length: lanes / 4 }, (_, part) => offset + part * 32 + first);
    return new Floats(starts.map((start) => load('v128.load', address, start)));
  };
  return vectors(0).shuffle(vectors(16), [0, 2, 4, 6]);
}
