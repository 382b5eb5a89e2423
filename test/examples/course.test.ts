import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, runExample } from '../helpers/run-example.ts';

const FASHION_MNIST = '/usr/share/datasets/fashion-mnist';

async function outputOf(name: string, args: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await runExample(name, args);
  expect(stderr).not.toMatch(/Error/);
  expect(code).toBe(0);
  return stdout;
}

test('each program of the course has under fifty lines and its line in the README', async () => {
  const names = (await readdir(join(ROOT, 'examples'))).filter((name) => /^\d\d-/.test(name));
  expect(names.length).toBeGreaterThanOrEqual(5);
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  for (const name of names) {
    const lines = (await readFile(join(ROOT, 'examples', name), 'utf8')).split('\n');
    expect(lines.length, name).toBeLessThan(50);
    expect(readme).toContain(`(examples/${name})`);
  }
});

test('01: tensors', async () => {
  const output = await outputOf('01-tensors.ts');
  expect(output).toContain('tensor([[11.0, 22.0, 33.0],');
  expect(output).toContain('sum 21 mean of columns [ 2.5, 3.5, 4.5 ]');
  expect(output).toContain('last column [ 3, 6 ]');
  expect(Math.abs(Number(/mean of noise (\S+)/.exec(output)?.[1]))).toBeLessThan(0.05);
});

test('02: gradients', async () => {
  const output = await outputOf('02-gradients.ts');
  expect(output).toMatch(/∂f\/∂x \[ 1, 4.77258\d*, 9.59167\d* \]/);
  expect(output).toMatch(/gradCheck: right\nminimum near 0.607 /);
});

test('03: a layer', async () => {
  const output = await outputOf('03-layer.ts');
  expect(output).toMatch(/^\[ 4, 8, 6, 6 \] mean -?0.0000 variance (1.0000|0.999\d)$/m);
  expect(output).toContain('norm.gamma [ 1, 8, 1, 1 ] gradient [ 1, 8, 1, 1 ]');
});

test('04: a training loop', async () => {
  const output = await outputOf('04-training-loop.ts');
  expect(Number(/right: (\S+) %/.exec(output)?.[1])).toBeGreaterThan(95);
});

test.skipIf(!existsSync(FASHION_MNIST))(
  `05: LeNet (skipped without ${FASHION_MNIST}: apt-get install dataset-fashion-mnist)`,
  async () => {
    const output = await outputOf('05-lenet.ts', ['--limit', '4000', '--epochs', '2']);
    expect(output).toMatch(/61,706 parameters/);
    expect(Number(/accuracy: (\S+)/.exec(output)?.[1])).toBeGreaterThan(0.7);
  },
  120_000,
);
