import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './helpers/run-example.ts';

/** The lines of a program, counted from 1, in which the project's rule finds a list spread into a call. */
async function spreadsIn(lines: readonly string[]): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'firelight-lint-'));
  try {
    const plugins = [join(ROOT, 'lint/no-list-spread.grit')];
    await writeFile(join(folder, 'biome.json'), JSON.stringify({ plugins }));
    await writeFile(join(folder, 'program.ts'), lines.join('\n'));
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
    const flags = ['lint', '--reporter=github', '--only=plugin', '.'];
    const { stdout } = spawnSync(process.execPath, [biome, ...flags], { cwd: folder });
    return [...String(stdout).matchAll(/^::error .*?line=(\d+),/gm)].map(([, line]) =>
      Number(line),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the linter finds lists that are spread into calls', async () => {
  const found = [
    'list.push(...list);',
    'this.#deep.list.push(1, ...list);',
    'Math.max(0, ...list.map((x) => x + 1));',
    'list.concat(...lists);',
    'String.fromCharCode(...bytes);',
    'lists.map((x) => x).flat().unshift(...list);',
    '(list as number[]).splice(0, 1, ...list);',
  ];
  const allowed = [
    'list.push([...list]);',
    'Math.max(list.length, [...list].length);',
    'list.concat(list);',
    'call(...list);',
    'const copy = [...list, ...list];',
  ];
  expect(await spreadsIn([...found, ...allowed])).toEqual(found.map((_, i) => i + 1));
});
