import { CheckpointError, type CheckpointFormat, type FileContent } from '@firelight/nn';
import { DTYPES } from '@firelight/tensor';
import { bytesSource } from '@firelight/tensor/formats';
import fc from 'fast-check';
import { expect } from 'vitest';
import { mutantsOf } from './mutations.ts';

/** How many mutants were read, and how many refused. */
interface Verdicts {
  readonly read: number;
  readonly refused: number;
}

const SIZE_LIMIT = 64e6;

/** @throws unless an error is of the class for files, and one line that a terminal can show */
export function expectClearError(error: unknown): void {
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(/^file: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{10,900}$/u);
}

function expectWhole({ tensors, optimizer }: FileContent, size: number): void {
  let total = 0;
  for (const named of [tensors, optimizer?.state ?? {}]) {
    for (const name of Object.keys(named)) {
      try {
        const { dtype, shape, array } = named[name];
        total += array.data.byteLength;
        expect(DTYPES).toContain(dtype);
        expect(array.data.length).toBe(shape.reduce((product, n) => product * n, 1));
      } catch (error) {
        expectClearError(error);
      }
    }
  }
  expect(total).toBeLessThan(8 * size + SIZE_LIMIT);
}

/** Reads files with random changes: each gives a clear error or whole tensors, and changes nothing else. */
export async function fuzzFormat(
  format: CheckpointFormat,
  original: Uint8Array,
  numRuns: number,
): Promise<Verdicts> {
  let [read, refused] = [0, 0];
  const property = fc.asyncProperty(mutantsOf(original), async (bytes) => {
    const source = bytesSource(bytes, { name: 'file', error: CheckpointError });
    format.recognise(source);
    try {
      expectWhole(await format.read(source), bytes.length);
      read++;
    } catch (error) {
      expectClearError(error);
      refused++;
    }
  });
  await fc.assert(property, { numRuns });
  expect(Object.keys(Object.prototype)).toEqual([]);
  return { read, refused };
}
