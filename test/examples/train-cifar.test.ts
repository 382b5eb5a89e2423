import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syntheticCifar10 } from '@firelight/data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseTrainOptions } from '../../examples/support/parse-train-options.ts';
import { runExample } from '../helpers/run-example.ts';
import { sharedPath } from '../helpers/shared.ts';

const RECORDS = 10_000;
const RECORD_BYTES = 3073;
const QUICK = ['--train-size', '32', '--test-size', '16', '--epochs', '1', '--batch-size', '16'];

let runs = 0;

/** Trains in a folder of its own. */
const train = (...flags: string[]) =>
  runExample('train-cifar.ts', [...flags, '--out', join(folder, `run-${runs++}`)]);

/** The printed losses, without what depends on the clock. */
const lossesIn = (output: string): string[] => output.match(/loss \d+\.\d+/g) ?? [];

let folder: string;

/** A folder with a whole CIFAR-10 of made-up images, which a test may then damage. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-train-'));
  const bytes = syntheticCifar10({ count: RECORDS, seed: 3 });
  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
  for (const name of [...names, 'test_batch.bin']) await writeFile(join(folder, name), bytes);
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a run', () => {
  test('prints losses and the accuracy of each class, the same for the same seed', async () => {
    const flags = ['--data', folder, ...QUICK, '--warmup-epochs', '0', '--seed', '7'];
    const first = await train(...flags);
    const second = await train(...flags);
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/test accuracy: \d+\.\d % \(\d+ of 16\)/);
    for (const name of ['airplane', 'frog', 'truck']) expect(first.stdout).toContain(name);
    expect(lossesIn(first.stdout)).toHaveLength(3); // two steps and the validation
    expect(lossesIn(second.stdout)).toEqual(lossesIn(first.stdout));
    const other = await train(...flags.slice(0, -1), '8');
    expect(lossesIn(other.stdout)).not.toEqual(lossesIn(first.stdout));
  }, 120_000);

  test.skipIf(sharedPath('cifar-10') === null)(
    'reads real CIFAR-10 (skipped without ../shared/cifar-10)',
    async () => {
      const { code, stdout } = await train('--data', sharedPath('cifar-10') as string, ...QUICK);
      expect(code).toBe(0);
      expect(stdout).toContain('CIFAR-10 in');
    },
    60_000,
  );

  test("follows MindSpore's tutorial, with its lines", async () => {
    const recipe = ['--recipe', 'tutorial'];
    expect(parseTrainOptions(recipe)).toMatchObject({ 'image-size': 224, 'batch-size': 32 });
    const few = ['--synthetic', '--train-size', '64', '--test-size', '8', '--image-size', '64'];
    const short = ['--epochs', '1', '--warmup-epochs', '0.5', '--loss-every', '1'];
    const { code, stdout } = await train(...recipe, ...few, ...short);
    expect(code).toBe(0);
    expect(stdout).toContain('740554 parameters');
    const losses = [...stdout.matchAll(/^epoch: 1 step: ([12]), loss is (2\.\d{4,})$/gm)];
    expect(losses.map(([, step]) => step)).toEqual(['1', '2']);
    expect(Math.abs(Number(losses[0][2]) - Math.LN10)).toBeLessThan(0.3); // untrained
    expect(stdout).toMatch(/^Train epoch time: \d+\.\d{3} ms, per step time: \d+\.\d{3} ms$/m);
  }, 60_000);

  test('trains through gpu.js where it is asked to, and says what runs', async () => {
    const gpu = ['--backend', 'gpu', '--gpu-mode', 'webasm'];
    const sizes = ['--train-size', '16', '--test-size', '4', '--batch-size', '8'];
    const few = ['--synthetic', '--epochs', '1', ...sizes];
    const [onGpu, onWasm] = await Promise.all([train(...few, ...gpu), train(...few)]);
    expect(onGpu.stderr).not.toContain('error');
    expect(onGpu.stdout).toMatch(
      /^backend: gpu: gpu\.js in mode webasm \(WebAssemblyKernel\) on /m,
    );
    const firstLoss = /loss ([\d.]+)/;
    expect(Number(firstLoss.exec(onGpu.stdout)?.[1])).toBeCloseTo(
      Number(firstLoss.exec(onWasm.stdout)?.[1]),
      3,
    );
  }, 120_000);

  test('says loudly that made-up images are not CIFAR-10', async () => {
    const { code, stdout, stderr } = await train('--synthetic', ...QUICK);
    expect(code).toBe(0);
    expect(stderr).toContain('NOT CIFAR-10');
    expect(stdout).toContain('made-up images');
    expect(stdout).toContain('pattern 9');
    expect(stdout).not.toContain('airplane');
  }, 60_000);

  test('--help names every flag of the README', async () => {
    const { code, stdout } = await train('--help');
    expect(code).toBe(0);
    for (const flag of [
      'data',
      'recipe',
      'resume',
      'eval-only',
      'train-size',
      'epochs',
      'lr-max',
      'bypass',
      'pooling',
      'seed',
      'backend',
      'gpu-mode',
    ]) {
      expect(stdout).toContain(`--${flag}`);
    }
  });
});

test('--eval-only tests a checkpoint, and nothing else', async () => {
  const out = join(folder, 'to-test');
  // Images that only a network with these options takes: they come back from the checkpoint.
  const small = [
    '--version',
    '1.0',
    '--stem',
    'imagenet',
    '--pooling',
    'ceil',
    '--image-size',
    '21',
  ];
  const flags = ['--synthetic', ...QUICK, ...small, '--out', out];
  const first = await runExample('train-cifar.ts', flags);
  expect(first.code).toBe(0);
  const file = join(out, 'checkpoints', 'SqueezeNet-best.safetensors');
  const sizes = ['--train-size', '32', '--test-size', '16'];
  const again = await train('--eval-only', file, '--synthetic', ...sizes);
  expect(again.code).toBe(0);
  const accuracyIn = (text: string) =>
    text.slice(text.indexOf('test accuracy'), text.indexOf('pictures:'));
  expect(again.stdout).toContain(accuracyIn(first.stdout).trim());
  expect(again.stdout).not.toContain('epoch');
}, 60_000);

describe('bad input is one clear sentence and exit code 1', () => {
  const cases: [what: string, flags: string[], message: RegExp][] = [
    ['an unknown flag', ['--epoch', '3'], /Unknown option '--epoch'; see .*--help/],
    ['a missing value', ['--seed'], /--seed/],
    ['a number that is none', ['--epochs', 'many'], /--epochs must be a whole number ≥ 0/],
    ['a share that is none', ['--dropout', '1'], /--dropout must be a number in \[0, 1\), got '1'/],
    ['an unknown mode', ['--lr-decay-mode', 'fast'], /must be one of steps, poly, linear, cosine/],
    ['an unknown version', ['--version', '2.0'], /--version must be one of 1.0, 1.1, got '2.0'/],
    [
      'an unknown backend',
      ['--backend', 'tpu'],
      /no backend 'tpu'; choose one of 'reference', 'wasm', 'gpu', 'auto'/,
    ],
    [
      'a mode of the GPU that is not here',
      ['--backend', 'gpu', '--gpu-mode', 'webgl2'],
      /'gpu' cannot run here: webgl2: it needs a browser with WebGL2; or use 'wasm'/,
    ],
    ['an unknown mode of the GPU', ['--backend', 'gpu', '--gpu-mode', 'cuda'], /one of webgl2, /],
    [
      'a mode of the GPU without the GPU',
      ['--gpu-mode', 'webasm'],
      /--gpu-mode goes with --backend gpu or --backend auto/,
    ],
    [
      'a test beside a training',
      ['--eval-only', 'file', '--resume'],
      /--eval-only tests and does not train; leave --resume out/,
    ],
    ['no checkpoint', ['--eval-only', '/no/file'], /\/no\/file: there is no such file/],
    [
      'an unknown recipe',
      ['--recipe', 'slow'],
      /--recipe must be one of quick, tutorial, got 'slow'/,
    ],
    ['no folder', ['--data', '/no/such/folder'], /no CIFAR-10 files in \/no\/such\/folder; put/],
    [
      'images that collapse',
      ['--synthetic', ...QUICK, '--version', '1.0', '--stem', 'imagenet'],
      /32 × 32 shrink to nothing.*at least 35 × 35 or stem: 'cifar'/,
    ],
    ['too long a warm-up', ['--synthetic', ...QUICK, '--warmup-epochs', '2'], /warmupEpochs \(2\)/],
    ['too many images', ['--train-size', '50001', '--data', 'FOLDER'], /limit is 50001/],
  ];

  test.each(cases)('%s', async (_, flags, message) => {
    const { code, stderr } = await train(...flags.map((f) => (f === 'FOLDER' ? folder : f)));
    expect(code).toBe(1);
    const error = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(error).toHaveLength(1);
    expect(error[0]).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('a truncated file', async () => {
    const file = join(folder, 'data_batch_2.bin');
    await writeFile(file, new Uint8Array(RECORDS * RECORD_BYTES - 100));
    const { code, stderr } = await train('--data', folder, ...QUICK);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*data_batch_2\.bin has 30729900 bytes, expected 30730000/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a label of 10', async () => {
    const bytes = syntheticCifar10({ count: RECORDS, seed: 3 });
    bytes[5 * RECORD_BYTES] = 10;
    await writeFile(join(folder, 'data_batch_2.bin'), bytes);
    const { code, stderr } = await train('--data', folder, ...QUICK);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*data_batch_2\.bin.*10/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
