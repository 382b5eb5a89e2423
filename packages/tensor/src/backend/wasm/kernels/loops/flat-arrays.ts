import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { Address } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import type { ElementBytes } from '../lanes/element-types.ts';
import { countFrom } from './part-range.ts';
import { fillRow } from './rows.ts';

/** Elements of one part of work on flat arrays: 64 KiB, which the second-level cache holds. */
export const CHUNK = 16_384;

/** Parts of work on a flat array. */
export const chunks = (count: number): number => Math.ceil(count / CHUNK);

/**
 * Runs `body` for every vector (`f.floats`) of part `index` of flat arrays of `count` elements, whose
 * `addresses` move along. The last one may reach over the end, where blocks of the arena have room.
 */
export function forVectors(
  f: FunctionBuilder,
  count: I32,
  index: I32,
  addresses: readonly Local<I32>[],
  body: () => void,
): void {
  const arrays = addresses.map((address) => ({ address, bytes: 4 as const }));
  forElements(f, count, index, f.lanes, arrays, body);
}

/** A flat array whose address moves along, and the bytes of its elements. */
export interface FlatArray {
  readonly address: Local<I32>;
  readonly bytes: ElementBytes;
}

/** As `forVectors`, for arrays of elements of any size, `lanes` at a time. */
export function forElements(
  f: FunctionBuilder,
  count: I32,
  index: I32,
  lanes: number,
  arrays: readonly FlatArray[],
  body: () => void,
): void {
  const first = f.i32(index.times(CHUNK));
  const left = countFrom(f, first, CHUNK, count);
  for (const { address, bytes } of arrays) address.set(address.plus(first.times(bytes)));
  // Both halves of a pair of vectors must use the same variable as address, or V8 does not pack them.
  f.doWhile(() => {
    body();
    for (const { address, bytes } of arrays) address.set(address.plus(lanes * bytes));
    left.set(left.minus(lanes));
  }, left.greaterThan(0));
}

const fillTask = defineTask(
  'fill',
  { target: 'address', count: 'i32', value: 'f32' },
  (f, { target, count, value }, { index }) => {
    const first = f.i32(index.times(CHUNK));
    const length = countFrom(f, first, CHUNK, count);
    f.call(fillRow, { target: target.plus(first.times(4)), count: length, value });
  },
);

export function fill(frame: Frame, target: Address, count: number, value: number): void {
  frame.run(fillTask, chunks(count), { target, count, value });
}
