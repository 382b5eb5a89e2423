import { FirelightError } from '@firelight/tensor';
import fc from 'fast-check';
import { expect } from 'vitest';
import { mutantsOf } from './mutations.ts';

/** What can be shown on one line. */
const SENTENCE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{10,1500}$/u;

/** What became of the files. */
export interface FuzzResult {
  readonly read: number;
  readonly refused: number;
}

/** A file, of one or more parts, and how many bytes it has. */
export type SizedFile<File> = readonly [file: File, size: number];

/**
 * Gives files to a reader, each of which must be read or refused by a clear error: one of ours, on one line
 * that a terminal can show, which begins with the name of the file.
 *
 * @param read opens a file, and looks at all that is in it
 * @param options `name` is that of the files
 */
export async function fuzzFiles<File>(
  files: fc.Arbitrary<SizedFile<File>>,
  read: (file: File, size: number) => unknown,
  { numRuns, name = 'file' }: { readonly numRuns: number; readonly name?: string },
): Promise<FuzzResult> {
  const count = { read: 0, refused: 0 };
  const property = fc.asyncProperty(files, async ([file, size]) => {
    try {
      await read(file, size);
      count.read++;
    } catch (error) {
      count.refused++;
      expect(error).toBeInstanceOf(FirelightError);
      const { message } = error as Error;
      expect(message.slice(0, name.length + 2)).toBe(`${name}: `);
      expect(message.slice(name.length + 2)).toMatch(SENTENCE);
    }
  });
  await fc.assert(property, { numRuns });
  expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(OWN_OF_OBJECTS);
  return count;
}

/** Files with random changes. */
export function mutatedFiles(
  originals: readonly Uint8Array[],
): fc.Arbitrary<SizedFile<Uint8Array>> {
  return fc.oneof(...originals.map(mutantsOf)).map((bytes) => [bytes, bytes.length] as const);
}

/** Gives files with random changes, called `file`, to a reader as `fuzzFiles` does. */
export function fuzzReader(
  originals: readonly Uint8Array[],
  read: (bytes: Uint8Array) => unknown,
  options: { readonly numRuns: number },
): Promise<FuzzResult> {
  return fuzzFiles(mutatedFiles(originals), read, options);
}

const OWN_OF_OBJECTS = Object.getOwnPropertyNames(Object.prototype).length;
