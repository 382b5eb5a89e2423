import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, type Image } from '@firelight/data';
import {
  Conv2d,
  Flatten,
  GlobalAvgPool2d,
  Linear,
  loadParamIntoNet,
  ReLU,
  Sequential,
  SqueezeNet,
  type StateDict,
} from '@firelight/nn';
import { Generator, randn, ShapeError, softmax, tensor, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawGrid } from '../../examples/support/draw-grid.ts';
import { gradCam, overlay } from '../../examples/support/grad-cam.ts';
import { readImageNetWeights } from '../../examples/support/imagenet-weights.ts';
import { readPhotograph } from '../helpers/photographs.ts';
import { ROOT, runExample, runSource } from '../helpers/run-example.ts';
import { sharedPath } from '../helpers/shared.ts';

let folder: string;

beforeAll(async () => {
  // Inside the repository, so that Node finds tsx, and apart, so that no example finds ../shared.
  await mkdir(join(ROOT, 'runs'), { recursive: true });
  folder = await mkdtemp(join(ROOT, 'runs', 'grad-cam-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const CHANNELS = 4;
const CLASSES = 3;

/** A network whose logits are linear in the means of its last feature maps. */
function create(seed: number) {
  const generator = new Generator(seed);
  const head = new Linear({ inFeatures: CHANNELS, outFeatures: CLASSES, generator });
  const features = new Sequential([
    new Conv2d({ inChannels: 2, outChannels: CHANNELS, kernelSize: 3, generator }),
    new ReLU(),
  ]);
  const network = new Sequential([
    ['features', features],
    ['pool', new GlobalAvgPool2d()],
    ['flatten', new Flatten()],
    ['head', head],
  ]);
  return { network, features, head };
}

describe('gradCam', () => {
  const side = fc.integer({ min: 3, max: 7 });

  test('behind a mean and a linear layer is the class activation map', () =>
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          images: fc.integer({ min: 1, max: 3 }),
          height: side,
          width: side,
        }),
        fc.boolean(),
        fc.boolean(),
        ({ seed, images, height, width }, isFrozen, isChosen) => {
          const { network, features, head } = create(seed);
          if (isFrozen) network.freeze();
          const x = randn([images, 2, height, width], { generator: new Generator(seed + 1) });
          const labels = Array.from({ length: images }, (_, i) => (seed + i) % CLASSES);
          const chosen = tensor(labels, { dtype: 'int32' });
          const { heat, logits } = gradCam(network, 'features', x, isChosen ? chosen : undefined);
          expect([...logits.data]).toEqual([...network.forward(x).data]);
          const maps = features.forward(x);
          const area = (height - 2) * (width - 2);
          expect(heat.shape).toEqual([images, height - 2, width - 2]);
          for (let n = 0; n < images; n++) {
            const row = Array.from(logits.data.subarray(n * CLASSES, (n + 1) * CLASSES));
            const label = isChosen ? labels[n] : row.indexOf(Math.max(...row));
            for (let place = 0; place < area; place++) {
              let sum = 0;
              for (let c = 0; c < CHANNELS; c++) {
                const weight = head.weight.data[label * CHANNELS + c];
                sum += weight * maps.data[(n * CHANNELS + c) * area + place];
              }
              expect(heat.data[n * area + place]).toBeCloseTo(Math.max(0, sum / area), 5);
            }
          }
        },
      ),
      { numRuns: 30 },
    ));

  test('leaves no gradient and no hook behind, also after an error', () => {
    const { network, features } = create(0);
    const x = randn([1, 2, 4, 4], { generator: new Generator(1) });
    gradCam(network, 'features', x);
    expect(() => gradCam(network, 'features', randn([1, 5, 4, 4]))).toThrow(ShapeError);
    expect(Object.hasOwn(features, 'forward')).toBe(false);
    expect(x.requiresGrad).toBe(false);
    expect(network.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  test('refuses layers that have no places', () => {
    const { network } = create(0);
    const x = randn([1, 2, 4, 4]);
    expect(() => gradCam(network, 'head', x)).toThrow(ValueError);
    expect(() => gradCam(network, 'head', x)).toThrow(
      "gradCam: the output of 'head' must be images, [N, C, H, W]",
    );
    expect(() => gradCam(network, 'feature', x)).toThrow(
      "getSubmodule: Sequential has no module 'feature'; near are 'features', ",
    );
  });

  test.skipIf(sharedPath('squeezenet') === null || sharedPath('images') === null)(
    'finds what SqueezeNet goes by: without it the class is gone (skipped without ../shared)',
    async () => {
      const network = new SqueezeNet({ version: '1.1', numClasses: 1000 }).eval();
      const names = network.namedParameters().map(([name]) => name);
      loadParamIntoNet(network, (await readImageNetWeights(names)) as StateDict);
      for (const name of ['labrador', 'tabby']) {
        const rgb = (['red', 'green', 'blue'] as const).map((from, c) => ({
          from,
          scale: (byte: number) =>
            (byte / 255 - [0.485, 0.456, 0.406][c]) / [0.229, 0.224, 0.225][c],
        }));
        const x = readPhotograph(name, rgb);
        const { heat, logits } = gradCam(network, 'features', x);
        const label = logits.data.indexOf(Math.max(...logits.data));
        const share = softmax(logits, 1).data[label];
        /** The probability with the hottest or coldest third of all places in grey. */
        const without = (isHot: boolean): number => {
          const order = [...heat.data.keys()].sort((a, b) => heat.data[b] - heat.data[a]);
          const third = Math.floor(order.length / 3);
          const hidden = new Set(isHot ? order.slice(0, third) : order.slice(-third));
          const [, , side] = heat.shape;
          const data = x.data.map((value, i) => {
            const [row, column] = [Math.floor(i / 224) % 224, i % 224];
            const place = Math.floor((row * side) / 224) * side + Math.floor((column * side) / 224);
            return hidden.has(place) ? 0 : value;
          });
          return softmax(network.forward(tensor(data, { shape: x.shape })), 1).data[label];
        };
        expect(without(true)).toBeLessThan(0.25 * share);
        expect(without(false)).toBeGreaterThan(0.5 * share);
      }
    },
    60_000,
  );
});

test('an overlay is blue where it is cold, red where it is hot, and keeps light and dark', () => {
  const picture: Image = {
    data: Uint8Array.of(0, 0, 0, 0, 0, 0, 255, 255, 255, 9, 9, 9),
    height: 2,
    width: 2,
    channels: 3,
    layout: 'HWC',
  };
  const heatOf = (...values: number[]): Image => ({
    ...picture,
    data: Float32Array.from(values),
    channels: 1,
  });
  expect([...overlay(picture, heatOf(0, 8, 4, 8)).data]).toEqual([
    ...[0, 0, 64],
    ...[64, 0, 0],
    ...[191, 255, 191],
    ...[68, 5, 5],
  ]);
  expect([...overlay(picture, heatOf(0, 0, 0, 0)).data.slice(0, 6)]).toEqual([0, 0, 64, 0, 0, 64]);
});

describe('grad-cam.ts', () => {
  const out = () => join(folder, 'out.png');

  test.skipIf(sharedPath('squeezenet') === null || sharedPath('images') === null)(
    'draws the photographs, and says what is in them (skipped without ../shared)',
    async () => {
      const pictures = ['pizza', 'tabby'].map((name) => `../shared/images/${name}.jpg`);
      const flags = ['--out', out(), ...pictures];
      const { code, stdout, stderr } = await runExample('grad-cam.ts', flags);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(
        /pizza\.jpg: pizza \d+\.\d %\n.*tabby\.jpg: tabby \d+\.\d %\nthe pict/,
      );
      const { width, height } = await decodeImage(await readFile(out()));
      expect([width, height]).toEqual([4 * (224 + 8) + 8, 224 + 18 + 8 + 8]);
    },
    60_000,
  );

  test('says loudly that it lacks the weights', async () => {
    const path = join(folder, 'plain.png');
    const data = new Uint8Array(40 * 60 * 3).fill(90);
    const image: Image = { data, height: 40, width: 60, channels: 3, layout: 'HWC' };
    await writeFile(path, await drawGrid([{ image, title: 'x' }]));
    const { code, stdout, stderr } = await runSource(
      join(ROOT, 'examples', 'grad-cam.ts'),
      ['--out', out(), '--layer', 'features.3', '--class', '3', path],
      { cwd: folder },
    );
    expect(stderr).toMatch(/^warning: NOT IMAGENET: its weights are not here, .*\n$/);
    expect(stdout).toMatch(/plain\.png: class 3 0\.\d %\nthe pictures are in /);
    expect(code).toBe(0);
  }, 60_000);

  test('prints its flags', async () => {
    const { code, stdout } = await runExample('grad-cam.ts', ['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Shows where SqueezeNet looks .*\n\nUsage: /);
  }, 60_000);

  test.each<[string[], RegExp]>([
    [['--clas', '3'], /^error: Unknown option '--clas'; see --help/],
    [['--class', ''], /^error: --class must be a whole number below 1000, got ''/],
    [[], /^error: there are no pictures in \.\.\/shared\/images; pass PNG or JPEG files/],
  ])(
    'refuses %j in one sentence',
    async (flags, message) => {
      const file = join(ROOT, 'examples', 'grad-cam.ts');
      const { code, stderr } = await runSource(file, flags, { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    },
    60_000,
  );
});
