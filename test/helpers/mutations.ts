import fc from 'fast-check';
import { shares } from './arbitraries.ts';

interface Mutation {
  readonly kind: 'set' | 'remove' | 'insert' | 'repeat' | 'cut';
  /** Where, as a share of the length. */
  readonly place: number;
  readonly length: number;
  readonly byte: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('set', 'remove', 'insert', 'repeat', 'cut'),
  // Headers are at the start and the interesting bytes of a pickle at both ends.
  place: fc.oneof(
    shares,
    shares.map((share) => 0.02 * share),
    shares.map((share) => 1 - 0.02 * share),
  ),
  length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 4000 })),
  byte: fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 0x28, 0x2e, 0x63, 0x7f, 0xff),
  ),
});

function mutate(bytes: Uint8Array, { kind, place, length, byte }: Mutation): Uint8Array {
  const at = Math.min(Math.floor(place * bytes.length), bytes.length);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  const rest = bytes.subarray(at + length);
  const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
  switch (kind) {
    case 'set':
      return join(before, Uint8Array.of(byte), after.subarray(1));
    case 'remove':
      return join(before, rest);
    case 'insert':
      return join(before, new Uint8Array(length).fill(byte), after);
    case 'repeat':
      return join(before, after.subarray(0, length), after);
    case 'cut':
      return before.slice();
  }
}

/** `original` after one to four random changes. */
export const mutantsOf = (original: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(mutation, { minLength: 1, maxLength: 4 })
    .map((mutations) => mutations.reduce(mutate, original));
