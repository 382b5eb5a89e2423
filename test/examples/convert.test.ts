import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResNet, SqueezeNet, saveCheckpoint } from '@firelight/nn';
import { importOnnx, openCheckpoint, savePytorch } from '@firelight/nn/formats';
import { noGrad, zeros } from '@firelight/tensor';
import { elementBytes } from '@firelight/tensor/formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runExample } from '../helpers/run-example.ts';

let folder: string;
let original: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-convert-'));
  original = await saveCheckpoint(new ResNet({ depth: 20 }), at('resnet'), { note: 'kept' });
});
afterAll(() => rm(folder, { recursive: true }));

async function convert(...args: string[]) {
  const result = await runExample('convert.ts', args);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return result.stdout;
}

/** Name, dtype, shape and bytes of every tensor. */
async function contentOf(file: string) {
  const { tensors } = await openCheckpoint(file);
  return Object.entries(tensors)
    .map(([name, { dtype, shape, array }]) => {
      const bytes = Buffer.from(elementBytes(array.data, dtype)).toString('base64');
      return { name, dtype, shape, bytes };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

test('gives the same bits through every format, and says what it did', async () => {
  const said = await convert(original, at('a.pth'));
  expect(said).toMatch(/: safetensors, \d+ bytes\n.*a\.pth: pytorch, \d+ tensors, \d+ bytes\n$/);
  const npz = await convert(at('a.pth'), at('b.npz'));
  expect(npz).toContain('npz holds arrays alone, so these texts are left out: note');
  await convert(at('b.npz'), at('c.ckpt'));
  await convert(at('c.ckpt'), at('d.flc'));
  expect(await contentOf(at('d.flc'))).toEqual(await contentOf(original));
  expect((await openCheckpoint(at('a.pth'))).metadata.note).toBe('kept');
}, 60_000);

test('maps names there and back, and casts floats', async () => {
  await convert(original, at('ms.ckpt'), '--names', 'mindspore');
  const { tensors } = await openCheckpoint(at('ms.ckpt'));
  expect(Object.keys(tensors)).toContain('bn1.moving_mean');
  await convert(at('ms.ckpt'), at('back.safetensors'), '--names=firelight');
  expect(await contentOf(at('back.safetensors'))).toEqual(await contentOf(original));
  await convert(original, at('half.safetensors'), '--dtype=float16');
  const half = await contentOf(at('half.safetensors'));
  expect(new Set(half.map(({ dtype }) => dtype))).toEqual(new Set(['float16']));
}, 60_000);

test('exports a network that its names tell to ONNX', async () => {
  await convert(original, at('net.onnx'), '--input', '1,3,32,32');
  const network = await importOnnx(at('net.onnx'));
  expect(noGrad(() => network.forward(zeros([2, 3, 32, 32]))).shape).toEqual([2, 10]);
}, 60_000);

const hasTorch = spawnSync('/usr/bin/python3', ['-c', 'import torch']).status === 0;
test.skipIf(!hasTorch)(
  'PyTorch loads the .pth (needs /usr/bin/python3 with torch)',
  async () => {
    await convert(original, at('torch.pth'));
    const script =
      'import sys, torch; print(len(torch.load(sys.argv[1], weights_only=True)["state_dict"]))';
    const { stdout } = spawnSync('/usr/bin/python3', ['-c', script, at('torch.pth')]);
    expect(Number(stdout)).toBe((await contentOf(original)).length);
  },
  60_000,
);

test('refuses in one sentence, and leaves what is there', async () => {
  await writeFile(at('there.npz'), 'mine');
  const unknown = await saveCheckpoint({ x: zeros([2]) }, at('unknown'));
  const cases: [string[], string][] = [
    [[original], 'pass two files, <in> and <out>, got 1'],
    [[original, at('x.h5')], 'its extension names no format that is written here'],
    [[original, at('there.npz')], 'is there already; pass --force to replace it'],
    [[original, at('x.npz'), '--dtype=int8'], '--dtype must be one of float16, bfloat16, float32'],
    [[original, at('x.onnx')], 'pass --input, such as 1,3,32,32'],
    [[unknown, at('x.onnx')], 'neither a configuration nor its names tell'],
  ];
  const results = await Promise.all(cases.map(([args]) => runExample('convert.ts', args)));
  for (const [i, { code, stderr }] of results.entries()) {
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]*\n$/);
    expect(stderr).toContain(cases[i][1]);
  }
  expect(await readFile(at('there.npz'), 'utf8')).toBe('mine');
}, 60_000);

test('predict.ts takes weights of other programs for CIFAR-10 alone', async () => {
  const predict = (file: string) =>
    runExample('predict.ts', [
      '--checkpoint',
      file,
      '--synthetic',
      '--count=2',
      '--out',
      at('p.png'),
    ]);
  const resnet = await savePytorch(new ResNet({ depth: 20 }), at('cifar.pth'));
  const imageNet = await savePytorch(new SqueezeNet({ numClasses: 1000 }), at('imagenet.pth'));
  const few = await savePytorch(new ResNet({ depth: 20, numClasses: 5 }), at('few.pth'));
  const [right, thousand, five] = await Promise.all([resnet, imageNet, few].map(predict));
  expect(right.stdout).toMatch(/^\d of 2 test images/);
  expect(thousand.stderr).toContain('use examples/classify.ts');
  expect(five.stderr).toContain('for 5 classes, not for the 10 of CIFAR-10');
}, 60_000);
