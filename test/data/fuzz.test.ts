import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type CifarRecords,
  DataError,
  parseCifar100Binary,
  parseCifarBinary,
  parseCifarPython,
  syntheticCifar10,
} from '@firelight/data';
import fc from 'fast-check';
import { packTar } from 'modern-tar';
import { expect, test } from 'vitest';
import { unpackArchive } from '../../packages/data/src/archive/unpack.ts';
import type { CifarArchive } from '../../packages/data/src/cifar/archives.ts';
import { mutantsOf } from '../helpers/mutations.ts';
import { pythonBatch } from '../helpers/python-batch.ts';

// 10,000 damaged inputs in all. What is read needs no memory but views of the input, so what bounds
// it is the input's size; a batch of python may also make 200,000 small objects. An archive is
// unpacked in chunks.

const peakBytes = (): number => 1024 * process.resourceUsage().maxRSS;
const peakAtStart = peakBytes();

function expectClear(error: unknown): void {
  expect(error).toBeInstanceOf(DataError);
  expect((error as Error).message).toMatch(/^[^\n]{20,400}$/);
}

/** Either a right result or a clear error. */
function checkParse(parse: () => CifarRecords, classes: number): void {
  let records: CifarRecords;
  try {
    records = parse();
  } catch (error) {
    expectClear(error);
    return;
  }
  expect(records.count).toBeGreaterThan(0);
  expect(records.labels.every((label) => label < classes)).toBe(true);
  expect(records.image(records.count - 1)).toHaveLength(3072);
}

test('CIFAR files, 4000 of them', () => {
  const cifar10 = syntheticCifar10({ count: 3, seed: 1 });
  fc.assert(
    fc.property(mutantsOf(cifar10), (bytes) => checkParse(() => parseCifarBinary(bytes), 10)),
    { numRuns: 2500 },
  );
  const cifar100 = new Uint8Array(3 * 3074).fill(5);
  fc.assert(
    fc.property(mutantsOf(cifar100), (bytes) => checkParse(() => parseCifar100Binary(bytes), 100)),
    { numRuns: 1500 },
  );
}, 120_000);

test('pickles, 4500 of them', () => {
  const batch = pythonBatch([1, 7, 9], new Uint8Array(3 * 3072).fill(77));
  fc.assert(
    fc.property(mutantsOf(batch), (bytes) => checkParse(() => parseCifarPython(bytes), 10)),
    { numRuns: 3000 },
  );
  // Without the pixels nearly every change hits an instruction.
  const instructions = Buffer.concat([batch.subarray(0, 220), batch.subarray(-4)]);
  fc.assert(
    fc.property(mutantsOf(instructions), (bytes) => checkParse(() => parseCifarPython(bytes), 10)),
    { numRuns: 1500 },
  );
}, 120_000);

const SMALL: CifarArchive = {
  title: 'small',
  downloads: [{ name: 'small.tar.gz', url: 'none', md5: 'none' }],
  mostBytes: 1e6,
  folder: 'small',
  parse: parseCifarBinary,
  files: (() => {
    const file = (name: string) => ({ name, leastBytes: 700, mostBytes: 700 });
    return { train: [file('a')], test: [file('b')], all: [file('a'), file('b')] };
  })(),
};

test('tar archives, 800 of them', async () => {
  const body = new Uint8Array(700).fill(9);
  const tar = await packTar(
    ['a', 'readme', 'b'].map((name) => ({
      header: { name: `small/${name}`, size: 700, type: 'file' as const },
      body,
    })),
  );
  const root = mkdtempSync(join(tmpdir(), 'firelight-fuzz-'));
  let refused = 0;
  try {
    await fc.assert(
      fc.asyncProperty(mutantsOf(tar), fc.boolean(), async (bytes, damageOutside) => {
        const folder = mkdtempSync(join(root, 'case-'));
        const inner = join(folder, 'inner');
        const archive = join(folder, 'small.tar.gz');
        // Changes of the tar inside a sound gzip, or of nothing but the gzip's own bytes.
        const packed = damageOutside
          ? gzipSync(bytes).subarray(0, -3)
          : gzipSync(bytes, { level: 1 });
        writeFileSync(archive, packed);
        mkdirSync(inner);
        const error = await unpackArchive(archive, inner, SMALL).then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(readdirSync(folder).sort()).toEqual(['inner', 'small.tar.gz']);
        if (error === null) {
          expect(readdirSync(inner)).toEqual(['small']);
          expect(readdirSync(join(inner, 'small')).sort()).toEqual(['a', 'b']);
          for (const name of ['a', 'b']) {
            expect(readFileSync(join(inner, 'small', name))).toHaveLength(700);
          }
        } else {
          refused++;
          expectClear(error);
          expect(readdirSync(inner)).toEqual([]);
        }
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 800 },
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  expect(refused).toBeGreaterThan(250);
}, 240_000);

test('no input made the process grow by more than 200 MB', () => {
  expect(peakBytes() - peakAtStart).toBeLessThan(200e6);
});
