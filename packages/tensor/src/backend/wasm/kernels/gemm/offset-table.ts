import { type I32, loadI32 } from '../../assembler/scalars.ts';
import type { Address } from '../../runtime/address.ts';
import { keptTable } from '../../runtime/tables.ts';

/**
 * Where the rows, columns or inner elements of a product lie: for each its byte offset, and how the
 * offsets go on from there. Vector code asks the latter, which was found by looking at every offset,
 * so it never takes a stretch for even because its ends are as far apart as those of an even one.
 */

/** Bytes of one entry: its offset, and the run that starts there. */
export const ENTRY_BYTES = 8;
const RUN = 4;
/** The offset of the entry at `entry`. */
export function loadOffset(entry: I32): I32 {
  return loadI32(entry);
}

/** The run that starts with the entry at `entry`; see `runsOf`. */
export function loadRun(entry: I32): I32 {
  return loadI32(entry, RUN);
}

/** Whether the `count` elements from the entry with this run on are neighbours in memory. */
export function areNeighbours(run: I32, count: I32 | number): I32 {
  return run.atLeast(count);
}

/** Whether each of the `count` elements from there on is the second after the one before. */
export function areEverySecond(run: I32, count: number): I32 {
  return run.atMost(-count);
}

/**
 * For each offset how many from there on follow each other at 4 bytes; or at 8 bytes, and then as a
 * negative number. An offset followed by any other is a run of 1.
 */
function runsOf(offsets: Int32Array): Int32Array {
  const runs = new Int32Array(offsets.length).fill(1);
  for (let i = offsets.length - 2; i >= 0; i--) {
    const step = offsets[i + 1] - offsets[i];
    if (step === 4) runs[i] = Math.max(1, runs[i + 1]) + 1;
    if (step === 8) runs[i] = Math.min(-1, runs[i + 1]) - 1;
  }
  return runs;
}

/** The address of the table named `key` of the offsets that `build` makes. */
export function offsetTable(key: string, build: () => ArrayLike<number>): Address {
  return keptTable(key, () => {
    const offsets = Int32Array.from(build());
    const runs = runsOf(offsets);
    return Int32Array.from({ length: 2 * offsets.length }, (_, i) =>
      i % 2 === 0 ? offsets[i / 2] : runs[(i - 1) / 2],
    );
  });
}

/** Offsets i · stride bytes for i < count. */
export function linearTable(count: number, stride: number): Address {
  return offsetTable(`linear ${count} ${stride}`, () =>
    Int32Array.from({ length: count }, (_, i) => i * stride),
  );
}
