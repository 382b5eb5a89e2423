import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeNet5, saveCheckpoint } from '@firelight/nn';
import { Generator, tensor } from '@firelight/tensor';
import { encodeNpy } from '@firelight/tensor/formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWeights } from '../../examples/support/open-weights.ts';
import { PHOTOGRAPHS, photographFiles } from '../helpers/photographs.ts';
import { runExample } from '../helpers/run-example.ts';
import { sharedPath } from '../helpers/shared.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'classify-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const net = sharedPath('interop', 'compressed_SqueezeNet.net');
const npy = sharedPath('squeezenet', 'squeezenet1.1_nchw', 'weights');

describe.skipIf(net === null || npy === null || sharedPath('images') === null)(
  'photographs (skipped without ../shared)',
  () => {
    test.each<[title: string, weights: string | null]>([
      ["SqueezeNet({ version: '1.0' }) of caffe, pooling: ceil", net],
      ["SqueezeNet({ version: '1.1' }) of gluon", npy],
    ])(
      '%s sees all of them right',
      async (title, weights) => {
        const flags = ['--weights', weights as string, '--top', '1', ...photographFiles(folder)];
        const { code, stdout, stderr } = await runExample('classify.ts', flags);
        expect([code, stderr]).toEqual([0, '']);
        const [first, ...lines] = stdout.trimEnd().split('\n');
        expect(first).toBe(title);
        const list = sharedPath('squeezenet', 'imagenet_classes.txt') as string;
        const classes = readFileSync(list, 'utf8').trimEnd().split('\n');
        const seen = lines.filter((line) => line.startsWith('  '));
        Object.entries(PHOTOGRAPHS).forEach(([name, right], i) => {
          const [, label] = /^ {2}(.*?) +\d+\.\d %$/.exec(seen[i]) ?? [];
          expect(
            right.map((each) => classes[each]),
            name,
          ).toContain(label);
        });
      },
      120_000,
    );
  },
);

test('prints its flags, and refuses what it cannot do in one sentence', async () => {
  const small = join(folder, 'small.safetensors');
  await saveCheckpoint(new LeNet5({ generator: new Generator(0) }), small);
  const cases: [string[], RegExp][] = [
    [['--weight', 'x'], /^error: Unknown option '--weight'; see --help\n$/],
    [
      ['x.png'],
      /^error: --weights is missing: pass a file with weights of ImageNet; see --help\n$/,
    ],
    [
      ['--weights', small, 'x.png'],
      /^error: .*small\.safetensors: is of LeNet5\(\) as firelight has it, but not for ImageNet's thousand/,
    ],
  ];
  const runs = [['--help'], ...cases.map(([flags]) => flags)];
  const [help, ...results] = await Promise.all(
    runs.map((flags) => runExample('classify.ts', flags)),
  );
  expect(help.code).toBe(0);
  expect(help.stdout).toMatch(
    /^Says which of ImageNet's thousand classes pictures show\.\n\nUsage: /,
  );
  for (const [i, { code, stderr }] of results.entries()) {
    expect(code).toBe(1);
    expect(stderr).toMatch(cases[i][1]);
  }
}, 60_000);

test('weights are a file, or a folder of NumPy files', async () => {
  const empty = mkdtempSync(join(folder, 'empty-'));
  await expect(openWeights(empty)).rejects.toThrow(/: has no \.npy files; pass a file$/);
  await expect(openWeights(join(folder, 'none.net'))).rejects.toThrow(
    /none\.net: there is no such file or folder \(ENOENT\)/,
  );
  writeFileSync(join(empty, 'fc.weight.npy'), encodeNpy(tensor([1, 2])));
  const { tensors } = await openWeights(empty);
  expect(tensors['fc.weight'].toArray()).toEqual([1, 2]);
});
