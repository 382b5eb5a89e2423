import { readFileSync } from 'node:fs';
import { deflateSync, inflateSync } from 'node:zlib';
import { DataError, decodeImage } from '@firelight/data';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mutantsOf } from '../../helpers/mutations.ts';
import { chunksOf, pngChunk, pngOf } from '../../helpers/png.ts';

// 7000 damaged pictures in all, of every kind that is read. The limit on their size bounds what a
// changed header may cost.

const MAX_BYTES = 3e6;
/** Bytes of the process's memory that a picture of that size may take, with all that is made of it. */
const MAX_COST = 60e6;

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function filesOf(name: string): Uint8Array[] {
  const fixture = new URL(`../../fixtures/pictures/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { cases: { file: string }[] };
  return cases.map(({ file }) => Uint8Array.from(Buffer.from(file, 'base64')));
}

/** Either a picture of the right size or a clear error; returns which. */
async function check(bytes: Uint8Array): Promise<'read' | 'refused'> {
  const before = usedBytes();
  try {
    const { data, height, width, channels } = await decodeImage(bytes, { maxBytes: MAX_BYTES });
    expect(channels).toBe(3);
    expect(data).toHaveLength(height * width * 3);
    return 'read';
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(/^the picture: [^\p{Cc}\n]{10,300}$/u);
    return 'refused';
  } finally {
    // Of each picture by itself: what many leave behind depends on when it is collected.
    expect(usedBytes() - before).toBeLessThan(MAX_COST);
  }
}

async function checkMutants(
  mutants: fc.Arbitrary<Uint8Array>,
  numRuns: number,
): Promise<Record<'read' | 'refused', number>> {
  const counts = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(mutants, async (bytes) => {
      counts[await check(bytes)]++;
    }),
    { numRuns },
  );
  return counts;
}

const pngs = filesOf('png');
const aPng = fc.constantFrom(...pngs);

/** A PNG with one chunk changed, whose length and checksum are right all the same. */
const withChangedChunk = aPng.chain((png) => {
  const chunks = chunksOf(png);
  return fc
    .nat(chunks.length - 1)
    .chain((changed) =>
      mutantsOf(chunks[changed].data).map((data) =>
        pngOf(
          ...chunks.map((chunk, index) =>
            pngChunk(chunk.type, index === changed ? data : chunk.data),
          ),
        ),
      ),
    );
});

/** A PNG whose unpacked rows are changed, in sound zlib and chunks. */
const withChangedRows = aPng.chain((png) => {
  const chunks = chunksOf(png);
  const before = chunks.filter(({ type }) => type !== 'IDAT');
  const data = chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data);
  return mutantsOf(inflateSync(Buffer.concat(data))).map((rows) =>
    pngOf(
      ...before.map((chunk) => pngChunk(chunk.type, chunk.data)),
      pngChunk('IDAT', deflateSync(rows, { level: 1 })),
    ),
  );
});

test('PNG, 4500 of them', async () => {
  await checkMutants(aPng.chain(mutantsOf), 1500);
  const chunks = await checkMutants(withChangedChunk, 1500);
  const rows = await checkMutants(withChangedRows, 1500);
  // Changes that go deep enough are read or refused, not all stopped at the door.
  for (const { read, refused } of [chunks, rows]) {
    expect(read).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(10);
  }
}, 120_000);

test('JPEG, 2500 of them', async () => {
  const { read, refused } = await checkMutants(
    fc.constantFrom(...filesOf('jpeg')).chain(mutantsOf),
    2500,
  );
  expect(read).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(10);
}, 120_000);
