import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syntheticCifar10 } from '@firelight/data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT, runSource } from './helpers/run-example.ts';
import { sharedPath } from './helpers/shared.ts';

/** Inside the repository, so that the blocks find the packages by name; git ignores it. */
const FOLDER = 'runs/readme-blocks';

const packages = await readdir(join(ROOT, 'packages'));
const readmes = [
  'README.md',
  'ARCHITECTURE.md',
  ...packages.map((name) => `packages/${name}/README.md`),
];

const blocks = await Promise.all(
  readmes.map(async (readme) => {
    const text = await readFile(join(ROOT, readme), 'utf8');
    const code = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
    return { readme, code };
  }),
);

/** What a run that was killed left behind would be in the way. */
beforeAll(async () => {
  await rm(join(ROOT, FOLDER), { recursive: true, force: true });
  await mkdir(join(ROOT, FOLDER), { recursive: true });
});
afterAll(() => rm(join(ROOT, FOLDER), { recursive: true, force: true }));

/** Runs a program in a folder of its own, for the files that it may write. */
async function runBlock(name: string, source: string) {
  const cwd = join(ROOT, FOLDER, name);
  await mkdir(cwd);
  await writeFile(join(cwd, 'block.ts'), source);
  return runSource('block.ts', [], { cwd });
}

describe.each(blocks)('$readme', ({ readme, code }) => {
  test('has an example', () => {
    expect(code.length).toBeGreaterThan(0);
  });

  test.each(code.map((source, i) => ({ source, i })))(
    'block $i runs as it stands',
    async ({ source, i }) => {
      const { code, stderr } = await runBlock(`${readme.replaceAll('/', '-')}-${i}`, source);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    },
    120_000,
  );
});

test('the diffs of ARCHITECTURE.md apply to this tree', async () => {
  const text = await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const diffs = [...text.matchAll(/^```diff\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(diffs).toHaveLength(2);
  for (const input of diffs) execFileSync('git', ['apply', '--check'], { cwd: ROOT, input });
});

describe('README.md trains on real images as its comment says', () => {
  /** The block with the data set of its comment in the place of the other, of 64 images. */
  const withImagesIn = (path: string): string => {
    const [block] = blocks[0].code;
    const [, options] = block.match(/For the real images: new Cifar10\(\{ (.*) \}\)/) ?? [];
    const own = options.replace(/path: '[^']*'/, `path: ${JSON.stringify(path)}`);
    expect(own).not.toBe(options);
    return block.replace(/Cifar10\.fromBytes\(.*\);/, `new Cifar10({ ${own}, limit: 64 });`);
  };

  const run = async (name: string, path: string) => {
    const { code, stdout, stderr } = await runBlock(name, withImagesIn(path));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/epoch: 2 step: 4, loss is .*\n\{ accuracy: [\d.]+ \}/);
  };

  test('in a file', async () => {
    const path = join(ROOT, FOLDER, 'images.bin');
    await writeFile(path, syntheticCifar10({ count: 70, seed: 1 }));
    await run('file', path);
  }, 120_000);

  const shared = sharedPath('cifar-10');
  test.skipIf(shared === null)(
    'in ../shared/cifar-10 (skipped without it)',
    () => run('shared', shared as string),
    120_000,
  );
});
