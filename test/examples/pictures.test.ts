import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage, type Image } from '@firelight/data';
import { loadCheckpoint, saveCheckpoint } from '@firelight/nn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawConfusion } from '../../examples/support/confusion.ts';
import { drawCurves } from '../../examples/support/curves.ts';
import { drawGrid } from '../../examples/support/draw-grid.ts';
import { writeWhole } from '../../examples/support/write-whole.ts';
import { runExample } from '../helpers/run-example.ts';

let folder: string;
let checkpoint: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-pictures-'));
  const out = join(folder, 'run');
  const flags = ['--synthetic', '--train-size', '64', '--test-size', '32', '--batch-size', '16'];
  const { code } = await runExample('train-cifar.ts', [...flags, '--epochs', '1', '--out', out]);
  expect(code).toBe(0);
  checkpoint = join(out, 'checkpoints', 'SqueezeNet-best.safetensors');
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** An image of one colour. */
const plain = (rgb: readonly number[], side: number): Image => ({
  data: Uint8Array.from({ length: side * side * 3 }, (_, i) => rgb[i % 3]),
  height: side,
  width: side,
  channels: 3,
  layout: 'HWC',
});

async function decodePng(png: Uint8Array) {
  const { data, width, height, channels } = await decodeImage(png);
  const pixel = (x: number, y: number): number[] =>
    Array.from({ length: 3 }, (_, c) => data[(y * width + x) * channels + c]);
  return { width, height, pixel };
}

describe('a grid', () => {
  test('shows images enlarged by whole factors, and frames those that are wrong', async () => {
    const green = [10, 200, 30];
    const png = await drawGrid(
      [
        { image: plain(green, 32), title: 'right', verdict: 'right' },
        { image: plain(green, 32), title: 'wrong with a very long title', verdict: 'wrong' },
        {
          image: { ...plain([0, 0, 0], 32), data: new Float32Array(32 * 32 * 3).fill(0.5) },
          title: '',
        },
      ],
      { columns: 2 },
    );
    expect([...png.subarray(1, 4)]).toEqual([80, 78, 71]);
    const { width, height, pixel } = await decodePng(png);
    // Two columns of 3 × 32 pixels with gaps of 8, two rows with titles of 18.
    expect([width, height]).toEqual([2 * 104 + 8, 2 * 122 + 8]);
    const [left, top] = [8, 8 + 18];
    expect(pixel(left + 1, top + 1)).toEqual(green);
    expect(pixel(left + 48, top + 48)).toEqual(green);
    expect(pixel(left + 104 + 1, top + 48)).toEqual([200, 16, 46]);
    expect(pixel(left + 104 + 48, top + 48)).toEqual(green);
    expect(pixel(left + 48, top + 122 + 48)).toEqual([128, 128, 128]);
  });
});

test('curves of a long training are thinned, their last step included', async () => {
  const length = 130_000;
  const curves = await drawCurves({
    steps: Array.from({ length }, (_, i) => ({ step: i + 1, loss: 1, learningRate: 0.1 })),
    epochs: [],
  });
  expect(curves).toContain('130,000');
  expect(curves.length).toBeLessThan(length);
});

test('curves and confusion are SVG with the numbers in them', async () => {
  const curves = await drawCurves({
    steps: Array.from({ length: 30 }, (_, i) => ({
      step: i + 1,
      loss: 2 / (i + 1),
      learningRate: 0.1,
    })),
    epochs: [{ step: 30, metrics: { accuracy: 0.789, loss: 1 } }],
  });
  expect(curves).toMatch(/^<svg [\s\S]*<\/svg>$/);
  for (const text of ['loss', 'accuracy of the validation', 'learning rate', '78.9 %']) {
    expect(curves).toContain(text);
  }
  const confusion = await drawConfusion(
    [
      [17, 4],
      [0, 23],
    ],
    ['cat', 'dog'],
  );
  for (const text of ['predicted', 'truth', 'cat', 'dog', '>17<', '>4<', '>0<', '>23<']) {
    expect(confusion).toContain(text);
  }
});

test('a picture that is written twice at once is whole', async () => {
  const path = join(folder, 'twice.svg');
  for (let round = 0; round < 50; round++) {
    const texts = ['a'.repeat(50_000), 'b'.repeat(100), 'c'.repeat(20_000)];
    await Promise.all(texts.map((text) => writeWhole(path, text)));
    expect(await readFile(path, 'utf8')).toBe(texts[2]);
  }
});

describe('the examples', () => {
  const isPng = async (path: string): Promise<boolean> =>
    (await readFile(path)).subarray(1, 4).toString('latin1') === 'PNG';

  test('training leaves curves and confusion in its folder', async () => {
    for (const name of ['curves.svg', 'confusion.svg']) {
      expect(await readFile(join(folder, 'run', name), 'utf8')).toMatch(/^<svg/);
    }
  });

  test('show-dataset draws a batch', async () => {
    const out = join(folder, 'dataset.png');
    const flags = ['--synthetic', '--count', '6', '--train-size', '10', '--out', out];
    const { code, stdout } = await runExample('show-dataset.ts', flags);
    expect(code).toBe(0);
    expect(stdout).toContain(`6 images of built-in made-up images, not CIFAR-10 are in ${out}`);
    expect(await isPng(out)).toBe(true);
    const wrong = await runExample('show-dataset.ts', ['--count', 'x']);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      "error: --count must be a whole number ≥ 1, got 'x'\n",
    ]);
    expect((await runExample('show-dataset.ts', ['--help'])).stdout).toContain('Usage');
  }, 30_000);

  test('predict judges test images', async () => {
    const out = join(folder, 'predictions.png');
    const flags = ['--checkpoint', checkpoint, '--synthetic', '--count', '6', '--out', out];
    const { code, stdout } = await runExample('predict.ts', flags);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\d of 6 test images of built-in made-up images, not CIFAR-10 are right/,
    );
    expect(await isPng(out)).toBe(true);
  }, 30_000);

  test('predict prints the five most probable classes of a picture', async () => {
    const picture = join(folder, 'predicted.png');
    await writeFile(picture, await drawGrid([{ image: plain([9, 99, 199], 40), title: 'x' }]));
    const { code, stdout } = await runExample('predict.ts', ['--checkpoint', checkpoint, picture]);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe(picture);
    expect(stdout.match(/pattern \d +\d+\.\d %/g)).toHaveLength(5);
  }, 30_000);

  test('predict prints names out of a checkpoint so that no terminal obeys them', async () => {
    const { tensors, metadata } = await loadCheckpoint(checkpoint);
    const config = JSON.parse(metadata.config);
    config.classNames = config.classNames.map((name: string) => `\u001b[2J\u202e${name}`);
    const changed = { ...metadata, config: JSON.stringify(config) };
    const file = await saveCheckpoint({ tensors, metadata: changed }, join(folder, 'hostile'));
    const picture = join(folder, 'picture.png');
    await writeFile(picture, await drawGrid([{ image: plain([9, 99, 199], 40), title: 'x' }]));
    const { code, stdout } = await runExample('predict.ts', ['--checkpoint', file, picture]);
    expect(code).toBe(0);
    expect(stdout.match(/^ {2}\\u001b\[2J\\u202epattern/gm)).toHaveLength(5);
  }, 30_000);

  test('a picture that cannot be written is an error of one sentence', async () => {
    const flags = ['--synthetic', '--count', '2', '--train-size', '10', '--out', folder];
    const { code, stderr } = await runExample('show-dataset.ts', flags);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toBe(
      `error: ${folder}: cannot be written: it is a folder (EISDIR); what was there is whole`,
    );
  }, 30_000);

  test.each<[string[], RegExp]>([
    [[], /^error: --checkpoint is missing/],
    [['--checkpoint', '/no.safetensors'], /^error: \/no\.safetensors: there is no such file/],
    [['--checkpint'], /^error: Unknown option '--checkpint'; see --help/],
    [['--count', '0'], /^error: --count must be a whole number ≥ 1/],
  ])('predict %j is refused in one sentence', async (flags, message) => {
    const { code, stderr } = await runExample('predict.ts', flags);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
