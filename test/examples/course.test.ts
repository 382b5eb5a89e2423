import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT, runExample, runSource } from '../helpers/run-example.ts';
import { sharedPath } from '../helpers/shared.ts';

const FASHION_MNIST = '/usr/share/datasets/fashion-mnist';

async function outputOf(name: string, args: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await runExample(name, args);
  expect(stderr).not.toMatch(/Error/);
  expect(code).toBe(0);
  return stdout;
}

let folder: string;

beforeAll(async () => {
  // Inside the repository, so that Node finds tsx, and apart, so that no example finds ../shared.
  await mkdir(join(ROOT, 'runs'), { recursive: true });
  folder = await mkdtemp(join(ROOT, 'runs', 'course-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a program where it finds no images and no weights. */
const runApart = (name: string, args: readonly string[]) =>
  runSource(join(ROOT, 'examples', name), args, { cwd: folder, env: { FIRELIGHT_CIFAR10: '' } });

test('each program of the course has under fifty lines and its line in the README', async () => {
  const names = (await readdir(join(ROOT, 'examples'))).filter((name) => /^\d\d-/.test(name));
  expect(names.length).toBeGreaterThanOrEqual(8);
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

describe('06: transfer learning', () => {
  const few = ['--train-size', '320', '--test-size', '200', '--image-size', '64', '--epochs', '4'];

  test.skipIf(sharedPath('cifar-10') === null || sharedPath('squeezenet') === null)(
    'learns fast behind features from ImageNet (skipped without ../shared)',
    async () => {
      const output = await outputOf('06-transfer-learning.ts', few);
      expect(output).toContain('5,130 trainable / 727,626 parameters');
      // Chance is 10 %, and without the features some 20.
      expect(Number(/after: (\S+) %/.exec(output)?.[1])).toBeGreaterThan(40);
    },
    60_000,
  );

  test('says loudly what it lacks', async () => {
    const args = [...few, '--epochs', '1', '--no-download'];
    const { code, stdout, stderr } = await runApart('06-transfer-learning.ts', args);
    expect(stderr).toMatch(/^warning: NOT CIFAR-10: .*\nwarning: NOT IMAGENET: its weights/);
    expect(stdout).toMatch(/after: \S+ % of built-in made-up images/);
    expect(code).toBe(0);
  }, 60_000);
});

test('07: an operation of your own', async () => {
  const output = await outputOf('07-own-operation.ts');
  expect(output).toContain('tensor([0.00, 0.25, 9.00]');
  expect(output).toContain('gradCheck: right; the same bits on both backends: true');
});

test('08: SqueezeNet', async () => {
  const { code, stdout, stderr } = await runApart('08-squeezenet.ts', ['400', '3']);
  expect(stderr).toBe('NOT CIFAR-10: made-up patterns; put its files into ./data\n');
  expect(code).toBe(0);
  // The loss starts at ln 10 = 2.3; the statistics of batch norm lag behind after so few steps.
  const losses = [...stdout.matchAll(/loss (\S+) {2}.*images\/s/g)].map(([, loss]) => Number(loss));
  expect(losses.at(-1)).toBeLessThan(1.9);
  expect(stdout.match(/ is taken for /g)).toHaveLength(5);
  const files = await readdir(join(folder, 'runs/08-squeezenet'));
  expect(files.sort()).toEqual([1, 2, 3].map((epoch) => `CKP-${epoch}_8.safetensors`));
}, 60_000);
