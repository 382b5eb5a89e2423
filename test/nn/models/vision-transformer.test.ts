import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  loadCheckpoint,
  loadParamIntoNet,
  saveCheckpoint,
  VisionTransformer,
  type VisionTransformerOptions,
  type VisionTransformerVariant,
} from '@firelight/nn';
import {
  checkpointed,
  Generator,
  memory,
  noGrad,
  randn,
  ShapeError,
  setBackend,
  slice,
  sum,
  type Tensor,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import names from '../../fixtures/networks/names.json' with { type: 'json' };
import {
  expectLearnsByHeart,
  expectSummary,
  expectTorchRun,
  parameterCount,
  StillGenerator,
} from '../../helpers/network-golden.ts';
import { relativeError } from '../../helpers/relative-error.ts';

const generator = new Generator(0);
const still = new StillGenerator(0);
const tiny = {
  imageSize: 12,
  patchSize: 4,
  numLayers: 2,
  numHeads: 3,
  hiddenDim: 12,
  mlpDim: 20,
  numClasses: 5,
  generator,
} as const;

/** A few images for `tiny`. */
const images = (seed = 1): Tensor => randn([2, 3, 12, 12], { generator: new Generator(seed) });

/** With a last layer that is not 0, so that what is before it shows in the logits. */
function withHead(options: VisionTransformerOptions = {}): VisionTransformer {
  const network = new VisionTransformer({ ...tiny, ...options });
  const weight = randn([5, 12], { generator: new Generator(8) });
  network.loadStateDict({ 'heads.head.weight': weight }, { strict: false });
  return network;
}

afterAll(() => setBackend('wasm'));

describe('parameters', () => {
  test('have the names and shapes of torchvision, in its order', () => {
    // Two of the twelve layers, which are alike, for the sake of memory.
    const network = new VisionTransformer({ numLayers: 2, generator: still });
    const expected = Object.entries(names.vit_b_16).filter(
      ([name]) => !/encoder_layer_([2-9]|1\d)\./.test(name),
    );
    const shapes = network.namedParameters().map(([name, { shape }]) => [name, shape]);
    expect(shapes).toEqual(expected);
  });

  // torchvision's counts, and by hand that of 'cifar'.
  test.each<[VisionTransformerVariant, count: number]>([
    ['B/16', 86_567_656],
    ['B/32', 88_224_232],
    ['L/16', 304_326_632],
    ['H/14', 632_045_800],
    ['cifar', 2_697_610],
  ])('of %s are as many as published', (variant, count) => {
    // Layers are alike: one at full size, and narrow ones to count them, take little memory.
    const network = new VisionTransformer({ variant, numLayers: 1, generator: still });
    const ofBlock = network
      .namedParameters()
      .filter(([name]) => name.includes('encoder_layer_0'))
      .reduce((sum, [, { size }]) => sum + size, 0);
    const narrow = new VisionTransformer({ variant, hiddenDim: 48, mlpDim: 1, generator: still });
    const layers = narrow.namedParameters().filter(([name]) => name.endsWith('ln_1.weight'));
    expect(parameterCount(network) + (layers.length - 1) * ofBlock).toBe(count);
  });

  test('of the small one fit its images', () => {
    const network = new VisionTransformer({ variant: 'cifar', generator: still });
    expect(network.forward(zeros([1, 3, 32, 32])).shape).toEqual([1, 10]);
  });

  test('start as in torchvision', () => {
    const state = new VisionTransformer({ ...tiny, hiddenDim: 96, generator }).stateDict();
    const spread = (name: string): number =>
      Math.hypot(...state[name].data) / Math.sqrt(state[name].size);
    const block = 'encoder.layers.encoder_layer_1';
    const zero = ['class_token', 'conv_proj.bias', 'heads.head.weight', 'heads.head.bias'];
    for (const name of zero) expect(spread(name), name).toBe(0);
    const drawn: [string, number][] = [
      ['conv_proj.weight', 1 / Math.sqrt(3 * 4 * 4)],
      ['encoder.pos_embedding', 0.02],
      [`${block}.self_attention.in_proj_weight`, Math.sqrt(2 / (4 * 96))],
      [`${block}.mlp.0.weight`, Math.sqrt(2 / (20 + 96))],
      [`${block}.ln_1.weight`, 1],
    ];
    for (const [name, sigma] of drawn) expect(spread(name) / sigma, name).toBeCloseTo(1, 1);
    expect(spread(`${block}.mlp.3.bias`) / 1e-6).toBeGreaterThan(0.7);
    expect(spread(`${block}.mlp.3.bias`) / 1e-6).toBeLessThan(1.3);
  });
});

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test('gives logits and gradients of PyTorch', async () => {
    await setBackend(backend);
    expectTorchRun('vit', new VisionTransformer(tiny));
  });
});

test('learns 64 images by heart', () => {
  const options = { shape: [3, 8, 8], classes: 5, steps: 60, learningRate: 0.02 };
  expectLearnsByHeart(new VisionTransformer({ ...tiny, imageSize: 8, numLayers: 1 }), options);
});

test('has a summary', () => expectSummary(new VisionTransformer(tiny), [1, 3, 12, 12]));

test('gives the same after being saved and loaded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vit-'));
  try {
    const network = withHead();
    const file = join(folder, 'vit.safetensors');
    await saveCheckpoint(network, file);
    const other = new VisionTransformer({ ...tiny, generator: new Generator(1) });
    expect(loadParamIntoNet(other, await loadCheckpoint(file))).toEqual([]);
    expect(other.forward(images()).data).toEqual(network.forward(images()).data);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([{ dropout: 0.3 }, { attentionDropout: 0.3 }])('%j is of training alone', (options) => {
  const network = withHead(options);
  const logits = () => network.forward(images()).data;
  expect(logits()).not.toEqual(logits());
  const other = withHead();
  other.loadStateDict(network.stateDict());
  network.eval();
  expect(logits()).toEqual(other.forward(images()).data);
});

test('drops the same when it is computed again', () => {
  const run = (wrap: (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor): number[] => {
    const options = { dropout: 0.3, attentionDropout: 0.3, generator: new Generator(2) };
    const network = withHead(options);
    const y = wrap((x) => network.forward(x))(images());
    sum(y).backward();
    return [y, ...network.parameters().flatMap(({ grad }) => grad ?? [])].flatMap(({ data }) => [
      ...data,
    ]);
  };
  expect(run(checkpointed)).toEqual(run((f) => f));
});

test('takes batches of any size', () => {
  const network = withHead();
  expect(network.forward(zeros([0, 3, 12, 12])).shape).toEqual([0, 5]);
  const { data } = network.forward(images());
  const alone = network.forward(slice(images(), [[0, 1]]));
  expect(relativeError(alone.data, data.slice(0, 5))).toBeLessThan(1e-5);
});

describe('without gradients', () => {
  test('only logits stay in memory', () => {
    const network = withHead().eval();
    const x = images();
    noGrad(() => network.forward(x));
    const before = memory().bytes;
    noGrad(() => network.forward(x));
    expect(memory().bytes - before).toBe(2 * 5 * 4);
  });

  test('only the output of each block stays until the end', () => {
    const mostOf = (numLayers: number): number => {
      const network = withHead({ numLayers }).eval();
      const x = images();
      noGrad(() => network.forward(x));
      const before = memory().bytes;
      let most = 0;
      for (const [, module] of network.namedModules()) {
        module.onForward(() => {
          most = Math.max(most, memory().bytes - before);
        });
      }
      noGrad(() => network.forward(x));
      return most;
    };
    expect(mostOf(5) - mostOf(2)).toBe(3 * 2 * 10 * 12 * 4);
  });
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ variant: 'S/16' }, /variant must be one of 'B\/16', .*, 'cifar', got 'S\/16'/],
  [{ imageSize: 30 }, /imageSize must be a multiple of patchSize \(=16\), got 30/],
  [{ patchSize: 0 }, /patchSize must be an integer ≥ 1, got 0/],
  [{ numLayers: 1.5 }, /numLayers must be an integer ≥ 1, got 1.5/],
  [{ numHeads: 7 }, /hiddenDim must be a multiple of numHeads \(=7\), got 768/],
  [{ hiddenDim: '8' }, /hiddenDim must be an integer ≥ 1, got '8'/],
  [{ mlpDim: null }, /mlpDim must be an integer ≥ 1, got null/],
  [{ numClasses: 0 }, /numClasses must be an integer ≥ 1, got 0/],
  [{ inChannels: 0 }, /inChannels must be an integer ≥ 1, got 0/],
  [{ dropout: 1 }, /dropout must be in \[0, 1\), got 1/],
  [{ attentionDropout: -1 }, /attentionDropout must be in \[0, 1\), got -1/],
  [{ heads: 3 }, /there is no option 'heads'/],
])('%j is refused', (options, message) => {
  const act = () => new VisionTransformer(options as VisionTransformerOptions);
  expect(act).toThrow(ValueError);
  expect(act).toThrow(message);
  expect(act).toThrow(/^VisionTransformer: /);
});

test.each([
  [[1, 1, 12, 12], 'VisionTransformer: needs images [N, 3, H, W], got [1, 1, 12, 12]'],
  [
    [1, 3, 12, 16],
    'VisionTransformer: needs images of 12 × 12, got 12 × 16; resize them, or set imageSize',
  ],
])('refuses images of shape %j', (shape, message) => {
  const act = () => new VisionTransformer(tiny).forward(zeros(shape));
  expect(act).toThrow(ShapeError);
  expect(act).toThrow(message);
});
