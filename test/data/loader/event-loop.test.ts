import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batches, type Dataset } from '@firelight/data';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { encodePng } from '../../helpers/png.ts';

const script = fileURLToPath(new URL('../../fixtures/processes/endless.ts', import.meta.url));

describe('a loop over a data set without end', () => {
  let folder: string;
  let cifar100: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'firelight-endless-'));
    mkdirSync(join(folder, 'a'));
    const png = encodePng({ width: 2, height: 2, data: new Uint8Array(12) });
    writeFileSync(join(folder, 'a', '1.png'), png);
    cifar100 = join(folder, 'train.bin');
    writeFileSync(cifar100, new Uint8Array(50 * 3074));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.concurrent.each([
    'cifar10',
    'cifar10 with a worker',
    'cifar100',
    'folder',
    'one small batch',
    'a slow consumer',
  ])(
    'lets timers and signals run: %s',
    async (kind) => {
      const flags = ['--conditions=@firelight/source', '--import', 'tsx', script, kind];
      const path = kind === 'folder' ? folder : cifar100;
      const child = spawn(process.execPath, [...flags, path], { timeout: 100_000, killSignal: 9 });
      let output = '';
      child.stdout.on('data', (text) => {
        output += text;
        if (output === 'timer\n') child.kill('SIGINT');
      });
      child.stderr.on('data', (text) => {
        output += text;
      });
      const code = await new Promise((resolve) => child.on('close', resolve));
      expect(output).toBe('timer\nsignal\n');
      expect(code).toBe(7);
    },
    120_000,
  );
});

/** `length` images that each take `milliseconds` to make. */
const slow = (length: number, milliseconds: number): Dataset => ({
  length,
  get(index) {
    const start = performance.now();
    while (performance.now() - start < milliseconds);
    const image = { data: Uint8Array.of(1), height: 1, width: 1, channels: 1, layout: 'CHW' };
    return { image: { ...image, layout: 'CHW' }, label: index };
  },
});

test('the loop has its turn within a batch, too', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  for await (const _ of batches(slow(8, 40), { batchSize: 8 }));
  clearInterval(timer);
  expect(turns).toBeGreaterThanOrEqual(6);
});

test('without setImmediate, as in browsers, the loop has its turn as well', async () => {
  vi.stubGlobal('setImmediate', undefined);
  try {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    for await (const _ of batches(slow(8, 40), { batchSize: 2 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
  } finally {
    vi.unstubAllGlobals();
  }
});
