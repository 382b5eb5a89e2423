import { AirbenchNet, type AirbenchNetOptions, whiteningWeights } from '@firelight/nn';
import {
  conv2d,
  DTypeError,
  Generator,
  randn,
  ShapeError,
  setBackend,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { symmetricEigen } from '../../../packages/nn/src/models/symmetric-eigen.ts';
import {
  expectLearnsByHeart,
  expectSummary,
  expectTorchRun,
} from '../../helpers/network-golden.ts';

const generator = new Generator(0);
const tiny = { widths: [4, 8, 8], numClasses: 5, generator } as const;

afterAll(() => setBackend('wasm'));

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test('gives logits and gradients of PyTorch', async () => {
    await setBackend(backend);
    expectTorchRun('airbench', new AirbenchNet(tiny), 1e-3);
  });
});

test('trains all but whitening and the scales of norms', () => {
  const network = new AirbenchNet(tiny);
  const frozen = () =>
    network
      .namedParameters()
      .filter(([, { requiresGrad }]) => !requiresGrad)
      .map(([name]) => name);
  const scales = [1, 2, 3].flatMap((i) => [`block${i}.norm1.weight`, `block${i}.norm2.weight`]);
  expect(frozen()).toEqual(['whiten.weight', ...scales]);
  network.whiten.freeze();
  expect(frozen()).toEqual(['whiten.weight', 'whiten.bias', ...scales]);
  network.unfreeze();
  expect(frozen()).toEqual(['whiten.weight', ...scales]);
});

test('starts with convolutions whose first filters pass their input on', () => {
  const state = new AirbenchNet({ widths: [30, 8], generator }).stateDict();
  const weight = state['block1.conv1.weight'];
  const ofImage = randn([1, 24, 5, 5], { generator });
  const y = conv2d(ofImage, weight, null, { padding: 1 });
  expect(Array.from(y.data.slice(0, ofImage.size))).toEqual(Array.from(ofImage.data));
  expect(y.shape).toEqual([1, 30, 5, 5]);
});

test('learns 64 images by heart', () => {
  const options = { shape: [3, 12, 12], classes: 5, steps: 80, learningRate: 0.03 };
  expectLearnsByHeart(new AirbenchNet({ ...tiny, widths: [8, 32, 32] }), options);
});

test('has a summary', () => expectSummary(new AirbenchNet(tiny), [1, 3, 32, 32]));

test.each<[Record<string, unknown>, RegExp]>([
  [{ widths: [0] }, /AirbenchNet: widths must be a list of integers ≥ 1/],
  [{ widths: [] }, /AirbenchNet: widths must not be empty/],
  [{ numClasses: 0 }, /AirbenchNet: numClasses must be an integer ≥ 1, got 0/],
  [{ inChannels: 0 }, /AirbenchNet: inChannels must be an integer ≥ 1, got 0/],
  [{ width: 64 }, /AirbenchNet: there is no option 'width'/],
])('%j is refused', (options, message) => {
  expect(() => new AirbenchNet(options as AirbenchNetOptions)).toThrow(ValueError);
  expect(() => new AirbenchNet(options as AirbenchNetOptions)).toThrow(message);
});

test('refuses images and whitening of other shapes', () => {
  const call = (shape: number[]) => () => new AirbenchNet(tiny).forward(zeros(shape));
  expect(call([1, 1, 32, 32])).toThrow(
    'AirbenchNet: needs images [N, 3, H, W], got [1, 1, 32, 32]',
  );
  expect(call([1, 3, 8, 32])).toThrow(ShapeError);
  expect(call([1, 3, 8, 32])).toThrow('AirbenchNet: images of 8 × 32 shrink to nothing on the way');
  const make = () => new AirbenchNet({ whitening: zeros([24, 3, 3, 3]) });
  expect(make).toThrow(ShapeError);
  expect(make).toThrow('AirbenchNet: whitening must be [24, 3, 2, 2], got [24, 3, 3, 3]');
  const wrong = () => new AirbenchNet({ whitening: null as never });
  expect(wrong).toThrow(DTypeError);
  expect(wrong).toThrow(/AirbenchNet: whitening must be a tensor, .* got null/);
});

describe('whiteningWeights', () => {
  /** Images whose neighbours and channels are correlated. */
  const images = conv2d(randn([20, 3, 14, 12], { generator }), randn([3, 3, 3, 3], { generator }));

  test('gives outputs without correlation and with mean square 1, with both signs', () => {
    const weights = whiteningWeights(images, { epsilon: 1e-12 });
    expect(weights.shape).toEqual([24, 3, 2, 2]);
    const y = conv2d(images, weights);
    const [N, C, H, W] = y.shape;
    const { data } = y;
    for (let a = 0; a < C; a++) {
      for (let b = 0; b < C; b++) {
        let product = 0;
        for (let n = 0; n < N; n++) {
          for (let i = 0; i < H * W; i++) {
            product += data[(n * C + a) * H * W + i] * data[(n * C + b) * H * W + i];
          }
        }
        const expected = a === b ? 1 : Math.abs(a - b) === 12 ? -1 : 0;
        expect(product / (N * H * W)).toBeCloseTo(expected, 3);
      }
    }
  });

  test('is what AirbenchNet starts with', () => {
    const whitening = whiteningWeights(images);
    const network = new AirbenchNet({ ...tiny, whitening });
    expect(network.whiten.weight.toArray()).toEqual(whitening.toArray());
  });

  test.each<[number[], object, RegExp]>([
    [
      [3, 4, 4],
      {},
      /whiteningWeights: needs images \[N, C, H, W\] of at least 2 × 2, got \[3, 4, 4\]/,
    ],
    [[1, 3, 4, 4], { kernelSize: 5 }, /of at least 5 × 5, got \[1, 3, 4, 4\]/],
    [[1, 3, 4, 4], { epsilon: 0 }, /whiteningWeights: epsilon must be a number above 0, got 0/],
    [[1, 3, 4, 4], { kernelSize: 0 }, /whiteningWeights: kernelSize must be an integer ≥ 1, got 0/],
  ])('refuses images %j with %j', (shape, options, message) => {
    expect(() => whiteningWeights(zeros(shape), options)).toThrow(message);
  });

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])('refuses images with %d', (value) => {
    const act = () => whiteningWeights([[[[0, 1, value]]]], { kernelSize: 1 });
    expect(act).toThrow(ValueError);
    expect(act).toThrow(`whiteningWeights: images must be finite in every element, got ${value}`);
  });
});

test('symmetricEigen gives eigenvectors of length 1, the largest value first', () => {
  expect(
    symmetricEigen([
      [2, 1],
      [1, 2],
    ]).map(({ value }) => value),
  ).toEqual([3, 1].map((v) => expect.closeTo(v, 12)));
  // Squares of such entries overflow, or vanish.
  for (const scale of [1e200, 1e-200]) {
    const scaled = [
      [2 * scale, scale],
      [scale, 2 * scale],
    ];
    const values = symmetricEigen(scaled).map(({ value }) => value / scale);
    expect(values).toEqual([3, 1].map((v) => expect.closeTo(v, 12)));
  }
  expect(symmetricEigen([[0]])).toEqual([{ value: 0, vector: Float64Array.of(1) }]);
  const n = 7;
  const entries = generator.normal(n * n);
  const matrix = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => entries[i * n + j] + entries[j * n + i]),
  );
  const pairs = symmetricEigen(matrix);
  const values = pairs.map(({ value }) => value);
  expect(values).toEqual([...values].sort((a, b) => b - a));
  for (const { value, vector } of pairs) {
    expect(Math.hypot(...vector)).toBeCloseTo(1, 10);
    for (const [i, row] of matrix.entries()) {
      const product = row.reduce((total, entry, j) => total + entry * vector[j], 0);
      expect(product).toBeCloseTo(value * vector[i], 10);
    }
  }
});
