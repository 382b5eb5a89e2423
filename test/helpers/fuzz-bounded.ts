import type fc from 'fast-check';
import { expect } from 'vitest';
import { type FuzzResult, fuzzFiles, mutatedFiles, type SizedFile } from './fuzz-reader.ts';
import { MemoryGauge } from './memory-gauge.ts';

const NUM_RUNS = 10_000;
/** No file may take longer, in ms, nor more memory beyond four times its size, in bytes. */
const MOST_TIME = 2000;
const MOST_MEMORY = 64e6;

/** Gives 10,000 files to a reader as `fuzzFiles` does; none may take long, or much memory. */
export async function fuzzBounded<File>(
  files: fc.Arbitrary<SizedFile<File>>,
  read: (file: File) => unknown,
  { name = 'file' }: { readonly name?: string } = {},
): Promise<FuzzResult> {
  const gauge = new MemoryGauge();
  let [longest, most] = [0, 0];
  const measured = async (file: File, size: number): Promise<void> => {
    const start = performance.now();
    let reading: Promise<unknown> = Promise.resolve();
    const memory = await gauge.measure(async () => {
      reading = Promise.resolve(file).then(read);
      await Promise.allSettled([reading]);
    });
    longest = Math.max(longest, performance.now() - start);
    most = Math.max(most, memory - 4 * size);
    await reading;
  };
  const result = await fuzzFiles(files, measured, { numRuns: NUM_RUNS, name });
  expect(longest).toBeLessThan(MOST_TIME);
  expect(most).toBeLessThan(MOST_MEMORY);
  return result;
}

/** The same for files with changed bytes, called `file`. */
export function fuzzBoundedReader(
  originals: readonly Uint8Array[],
  read: (bytes: Uint8Array) => unknown,
): Promise<FuzzResult> {
  return fuzzBounded(mutatedFiles(originals), read);
}
