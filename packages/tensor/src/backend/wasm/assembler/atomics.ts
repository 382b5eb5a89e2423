import { signed } from './encoding.ts';
import type { FunctionBuilder } from './function.ts';
import { OPCODE, type Opcode } from './opcodes.ts';
import { I32, i32, memoryOperand } from './scalars.ts';

/** Operations on shared memory that all threads see in one order. */

/** The code of an instruction on the 32 bits at the address below on the stack. */
const atomic = (opcode: Opcode): number[] => [...OPCODE[opcode], ...memoryOperand(2, 0)];

export function atomicLoad(address: number): I32 {
  return new I32([...i32(address).code, ...atomic('i32.atomic.load')]);
}

export function atomicStore(f: FunctionBuilder, address: number, value: I32 | number): void {
  f.raw(i32(address).code, i32(value).code, atomic('i32.atomic.store'));
}

/** Adds to the number at `address`; the value is what it was before. */
export function atomicAdd(address: number, amount: number): I32 {
  return new I32([...i32(address).code, ...i32(amount).code, ...atomic('i32.atomic.rmw.add')]);
}

/** A value computed for what it does. */
export function discard(f: FunctionBuilder, value: I32): void {
  f.raw(value.code, OPCODE.drop);
}

/** Sleeps while the number at `address` is `expected`, until notified or for `milliseconds`. */
export function sleepWhile(
  f: FunctionBuilder,
  address: number,
  expected: I32,
  milliseconds: number | null,
): void {
  const timeout = milliseconds === null ? signed(-1) : signed64(BigInt(milliseconds) * 1_000_000n);
  f.raw(
    i32(address).code,
    expected.code,
    OPCODE['i64.const'],
    timeout,
    atomic('memory.atomic.wait32'),
    OPCODE.drop,
  );
}

/** Wakes all threads that sleep at `address`. */
export function wakeAll(f: FunctionBuilder, address: number): void {
  f.raw(i32(address).code, i32(-1).code, atomic('memory.atomic.notify'), OPCODE.drop);
}

/** A non-negative 64-bit integer in signed LEB128. */
function signed64(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === 0n && (low & 0x40) === 0) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
