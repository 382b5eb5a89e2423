import { readFileSync } from 'node:fs';
import { openCheckpoint } from '@firelight/nn/formats';
import { tensor } from '@firelight/tensor';
import { bytesSource, encodeNpz, encodeZip, readZip } from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { hasInterop, interopPath } from '../../helpers/interop.ts';

const file = (name: string): Uint8Array => readFileSync(interopPath(name));

/** Opens a file and looks at all that is in it, in bounded time and memory. */
async function readAll(bytes: Uint8Array): Promise<void> {
  const [start, before] = [performance.now(), process.memoryUsage().rss];
  try {
    const { tensors, optimizer } = await openCheckpoint(bytes, { name: 'file' });
    for (const found of [tensors, optimizer?.state ?? {}]) {
      for (const name of Object.keys(found)) found[name].toArray();
    }
  } finally {
    expect(performance.now() - start).toBeLessThan(2000);
    // With room for what the collector has not given back yet.
    expect(process.memoryUsage().rss - before).toBeLessThan(4 * bytes.length + 2 ** 27);
  }
}

/** The same for the content of one member, whose checksum is right. */
async function inMember(archive: Uint8Array, end: string) {
  const members = await readZip(bytesSource(archive, { name: 'file' }));
  const parts = [...members].map(([name, { source, size }]): [string, Uint8Array] => [
    name,
    source.bytes(0, size),
  ]);
  const chosen = parts.find(([name]) => name.endsWith(end))?.[1] ?? new Uint8Array(0);
  const read = (changed: Uint8Array): Promise<void> =>
    readAll(encodeZip(parts.map(([name, bytes]) => [name, bytes === chosen ? changed : bytes])));
  return { chosen, read };
}

describe.skipIf(!hasInterop)('10,000 changed files (skipped without ../shared/interop)', () => {
  const numRuns = 10_000;

  test('of PyTorch', async () => {
    const names = [
      ...['burn-legacy_with_offsets.pt', 't113-strided-shared.pt', 't113-dtypes.pt'],
      ...['t113-checkpoint-sgd.pth', 't113-torchscript.pt', 'evil-os-system.pth'],
    ];
    const { refused } = await fuzzReader(names.map(file), readAll, { numRuns });
    expect(refused).toBeGreaterThan(numRuns / 2);
  });

  test.each(['t113-strided-shared.pt', 't113-checkpoint-sgd.pth'])(
    'of the pickle in %s',
    async (name) => {
      const { chosen, read } = await inMember(file(name), 'data.pkl');
      const { refused } = await fuzzReader([chosen], read, { numRuns });
      expect(refused).toBeGreaterThan(numRuns / 2);
    },
  );

  test('of NumPy', async () => {
    const names = ['np-bigendian.npy', 'np-fortran.npy', 'np-state.npz', 'np-compressed.npz'];
    const { refused } = await fuzzReader(names.map(file), readAll, { numRuns });
    expect(refused).toBeGreaterThan(numRuns / 2);
  });

  test('of an array in an archive of NumPy', async () => {
    const archive = encodeNpz({ x: tensor([[1, 2, 3]]) });
    const { chosen, read } = await inMember(archive, '.npy');
    const { refused } = await fuzzReader([chosen], read, { numRuns });
    expect(refused).toBeGreaterThan(numRuns / 2);
  });
});
