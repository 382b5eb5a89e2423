import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CheckpointError, latestCheckpoint, loadCheckpoint, saveCheckpoint } from '@firelight/nn';
import { assign, full, type Tensor, tensor } from '@firelight/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-saving-'));
  file = join(folder, 'Net-1_1.safetensors');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The number that fills the file, which must be the same everywhere in it. */
async function numberIn(path: string): Promise<number> {
  const { tensors, metadata, isForeign } = await loadCheckpoint(path);
  const values = new Set(tensors.weights.data);
  expect([isForeign, values.size]).toEqual([false, 1]);
  expect(String([...values][0])).toBe(metadata.value);
  return [...values][0];
}

const save = (value: number, size: number): Promise<string> =>
  saveCheckpoint({ weights: full([size], value) }, file, { value: String(value) });

/** Another process that saves the file: its first number, how often, and how many elements. */
function saveElsewhere(
  args: readonly number[],
  { preload = [], env = {} }: { preload?: string[]; env?: Record<string, string> } = {},
): Promise<{ code: number | null; stderr: string }> {
  const fixture = (name: string): string =>
    fileURLToPath(new URL(`../../fixtures/processes/${name}`, import.meta.url));
  const flags = [
    ...['--conditions=@firelight/source', '--import', 'tsx'],
    ...preload.flatMap((name) => ['--import', fixture(name)]),
  ];
  const child = spawn(
    process.execPath,
    [...flags, fixture('save-checkpoints.ts'), file, ...args.map(String)],
    { env: { ...process.env, ...env } },
  );
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

describe('savings of one file at once', () => {
  test('leave the last one whole, 200 times', async () => {
    for (let round = 0; round < 200; round++) {
      // The first is the largest, so that it would end last.
      await Promise.all([1, 2, 3].map((i) => save(10 * round + i, Math.ceil(60_000 / i ** 2))));
      expect(await numberIn(file)).toBe(10 * round + 3);
      expect(await readdir(folder)).toEqual(['Net-1_1.safetensors']);
    }
  }, 60_000);

  test('hold what was there when they were called', async () => {
    const weights = tensor([1, 2, 3]);
    const first = saveCheckpoint({ weights }, file);
    assign(weights, full([3], 9));
    await first;
    expect((await loadCheckpoint(file)).tensors.weights.toArray()).toEqual([1, 2, 3]);
  });

  test('go on after one that failed', async () => {
    const broken = {
      get weights(): Tensor {
        throw new CheckpointError('broken: no');
      },
    };
    const results = await Promise.allSettled([
      save(1, 10),
      saveCheckpoint({ tensors: broken, metadata: {} }, file),
      save(3, 10),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await numberIn(file)).toBe(3);
  });

  test('by several processes leave one of them whole, and it can be read all the while', async () => {
    await save(0, 10);
    let running = 3;
    const ends = [1000, 2000, 3000].map((number, i) =>
      saveElsewhere([number, 70, 20_000 + 30_000 * i]).finally(() => running--),
    );
    let reads = 0;
    for (; running > 0; reads++) {
      await numberIn(file);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const ended = { code: 0, stderr: '' };
    expect(await Promise.all(ends)).toEqual([ended, ended, ended]);
    expect([1069, 2069, 3069]).toContain(await numberIn(file));
    expect(reads).toBeGreaterThan(3);
    expect(await readdir(folder)).toEqual(['Net-1_1.safetensors']);
  }, 60_000);
});

describe('a saving that fails', () => {
  const refusal = (path: string, reason: RegExp): RegExp =>
    new RegExp(
      `^${path.replace(/[.\\]/g, '\\$&')}: cannot be saved: ${reason.source}; what was saved before is ` +
        'whole, so make room or choose another place$',
    );
  const failure = (path: string): Promise<Error> =>
    saveCheckpoint({ weights: full([10], 2) }, path).then(
      () => new Error('it was saved'),
      (error) => error,
    );

  test('because the disk is full', async () => {
    const { code, stderr } = await saveElsewhere([5, 2, 1000], {
      preload: ['full-disk.mjs'],
      env: { FULL_DISK_AT: '2' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /CheckpointError: .*: cannot be saved: the disk is full \(ENOSPC\); what/,
    );
    expect(await numberIn(file)).toBe(5);
    expect(await readdir(folder)).toEqual(['Net-1_1.safetensors']);
  }, 60_000);

  // Where even root may not make a file.
  test.skipIf(process.platform !== 'linux')('because it is not permitted (on Linux)', async () => {
    expect((await failure('/sys/Net.safetensors')).message).toMatch(
      /^\/sys\/Net\.safetensors: cannot be saved: (permission is denied|the disk is read-only) \(E/,
    );
  });

  test('because a folder has its name', async () => {
    await mkdir(join(file, 'inner'), { recursive: true });
    const error = await failure(file);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(refusal(file, /it is a folder \(EISDIR\)/));
    expect(await readdir(folder)).toEqual(['Net-1_1.safetensors']);
  });

  test('because a file is where a folder should be', async () => {
    await save(1, 10);
    const below = join(file, 'a', 'b.safetensors');
    expect((await failure(below)).message).toMatch(
      refusal(below, /a part of its path is a file \((ENOTDIR|EEXIST)\)/),
    );
    expect(await numberIn(file)).toBe(1);
  });

  test('because the name is too long', async () => {
    const long = join(folder, `${'ä'.repeat(150)}.safetensors`);
    expect((await failure(long)).message).toMatch(
      /: cannot be saved: the name is too long \(ENAMETOOLONG\); what/,
    );
    const longest = join(folder, `${'x'.repeat(255 - '.safetensors'.length)}.safetensors`);
    expect(await saveCheckpoint({ weights: full([10], 2) }, longest)).toBe(longest);
    expect(await readdir(folder)).toHaveLength(1);
  });

  test('because of links that lead nowhere', async () => {
    await symlink(join(folder, 'a'), join(folder, 'b'));
    await symlink(join(folder, 'b'), join(folder, 'a'));
    const error = await failure(join(folder, 'a', 'x.safetensors'));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(/x\.safetensors: cannot be saved: .*(ELOOP|EEXIST|ENOENT)/);
  });

  test('in a folder that vanished is no failure: the folder comes back', async () => {
    await rm(folder, { recursive: true });
    await save(4, 10);
    expect(await numberIn(file)).toBe(4);
  });
});

test('what a killed process left is no checkpoint', async () => {
  await save(1, 10);
  const bytes = await readFile(file);
  await writeFile(join(folder, '.Net-1_2.safetensors.4194304.0123456789ab.tmp'), bytes);
  await writeFile(join(folder, 'Net-1_3.safetensors.tmp'), bytes);
  await writeFile(join(folder, '.Net-1_4.safetensors'), bytes);
  expect((await latestCheckpoint(folder, { prefix: 'Net' }))?.file).toBe(file);
});
