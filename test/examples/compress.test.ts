import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CIFAR10_CLASSES } from '@firelight/data';
import { saveCheckpoint } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { Generator } from '@firelight/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNetwork } from '../../examples/support/create-network.ts';
import { openNetwork } from '../../examples/support/open-network.ts';
import { parseTrainOptions } from '../../examples/support/parse-train-options.ts';
import { runExample } from '../helpers/run-example.ts';

let folder: string;
let checkpoint: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-compress-'));
  const options = parseTrainOptions(['--image-size=32']);
  const config = JSON.stringify({ options, classNames: CIFAR10_CLASSES });
  const network = createNetwork(options, new Generator(1));
  checkpoint = await saveCheckpoint(network, join(folder, 'trained'), { config });
});
afterAll(() => rm(folder, { recursive: true }));

const SHORT = [
  '--synthetic',
  '--train-size=64',
  '--test-size=32',
  '--epochs=1',
  '--share-epochs=1',
];

test('compresses a network, says what each step did, and writes what opens as any checkpoint', async () => {
  const [out, int8] = [join(folder, 'small.flc'), join(folder, 'int8')];
  const flags = ['--checkpoint', checkpoint, '--out', out, '--int8', int8, '--bits=4', ...SHORT];
  const { code, stdout } = await runExample('compress.ts', flags);
  expect(code).toBe(0);
  const rows = stdout.split('\n').filter((line) => /^[a-z].* \d+\.\d\d % {2}/.test(line));
  expect(rows.map((row) => row.replace(/ {2,}.*/, '').replace(folder, ''))).toEqual([
    'as it was trained',
    expect.stringMatching(/^int8 weights, in .*int8\.safetensors/),
    'pruned to 33.00 %',
    'trained on for 1 epochs',
    'weights share 16 values',
    'values trained on for 1 epochs',
  ]);
  const { size } = await stat(out);
  expect(rows.at(-1)).toMatch(new RegExp(` 4 +${size} +\\d\\.\\d\\d %$`));
  expect((await stat(checkpoint)).size / size).toBeGreaterThan(10);

  const { network } = await openNetwork(out);
  for (const [name, { data, shape }] of network.namedParameters()) {
    if (shape.length < 2) continue;
    expect(new Set(data).size, name).toBeLessThanOrEqual(16);
    expect(data.filter((value) => value !== 0).length / data.length, name).toBeLessThan(0.34);
  }
  const { tensors } = await openCheckpoint(`${int8}.safetensors`);
  expect(tensors['final_conv.weight'].dtype).toBe('int8');
}, 120_000);

test.each<[string[], string]>([
  [[], '--checkpoint is missing'],
  [['--density', '0'], "--density must be in (0, 1], got '0'"],
  [['--bits', '9'], "--bits must be from 1 to 8, got '9'"],
  [['--epochs=-1'], "--epochs must be a whole number ≥ 0, got '-1'"],
  [['--lr', ''], "--lr must be a number > 0, got ''"],
])(
  'refuses %j in one sentence',
  async (flags, message) => {
    const { code, stderr } = await runExample('compress.ts', flags);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]*\n$/);
    expect(stderr).toContain(message);
  },
  60_000,
);
