import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT, runSource } from './helpers/run-example.ts';

/** Inside the repository, so that the blocks find the packages by name; git ignores it. */
const FOLDER = 'runs/readme-blocks';

const packages = await readdir(join(ROOT, 'packages'));
const readmes = ['README.md', ...packages.map((name) => `packages/${name}/README.md`)];

const blocks = await Promise.all(
  readmes.map(async (readme) => {
    const text = await readFile(join(ROOT, readme), 'utf8');
    const code = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
    return { readme, code };
  }),
);

beforeAll(() => mkdir(join(ROOT, FOLDER), { recursive: true }));
afterAll(() => rm(join(ROOT, FOLDER), { recursive: true, force: true }));

describe.each(blocks)('$readme', ({ readme, code }) => {
  test('has an example', () => {
    expect(code.length).toBeGreaterThan(0);
  });

  test.each(code.map((source, i) => ({ source, i })))(
    'block $i runs as it stands',
    async ({ source, i }) => {
      // A folder of its own, for the files that a block may write.
      const cwd = join(ROOT, FOLDER, `${readme.replaceAll('/', '-')}-${i}`);
      await mkdir(cwd);
      await writeFile(join(cwd, 'block.ts'), source);
      const { code, stderr } = await runSource('block.ts', [], { cwd });
      expect(stderr).toBe('');
      expect(code).toBe(0);
    },
    120_000,
  );
});
