import { FirelightError } from '@firelight/tensor';
import fc from 'fast-check';
import { expect } from 'vitest';
import { mutantsOf } from './mutations.ts';

/** What became of the files. */
interface FuzzResult {
  readonly read: number;
  readonly refused: number;
}

/**
 * Gives changed files to a reader, each of which must be read or refused by a clear error: one of ours, on
 * one line that a terminal can show, which begins with the name of the file.
 *
 * @param originals files that are right
 * @param read opens `bytes` under the name `file`, and looks at all that is in it
 */
export async function fuzzReader(
  originals: readonly Uint8Array[],
  read: (bytes: Uint8Array) => unknown,
  { numRuns }: { readonly numRuns: number },
): Promise<FuzzResult> {
  const count = { read: 0, refused: 0 };
  const property = fc.asyncProperty(fc.oneof(...originals.map(mutantsOf)), async (bytes) => {
    try {
      await read(bytes);
      count.read++;
    } catch (error) {
      count.refused++;
      expect(error).toBeInstanceOf(FirelightError);
      expect((error as Error).message).toMatch(
        /^file: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{10,900}$/u,
      );
    }
  });
  await fc.assert(property, { numRuns });
  expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(OWN_OF_OBJECTS);
  return count;
}

const OWN_OF_OBJECTS = Object.getOwnPropertyNames(Object.prototype).length;
