import {
  batchNorm2d,
  conv2d,
  conv2dBranches,
  ones,
  relu,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { seeds, shares } from '../../helpers/arbitraries.ts';
import { random } from '../../helpers/evaluate.ts';

/** Special values of one element, and what they do to others and to fused operations. */

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const BACKENDS = [
  ['reference', {}],
  ['wasm', {}],
  ['wasm', { relaxedSimd: false, winograd: false }],
] as const;

afterAll(() => setBackend('wasm'));

/** Pixels of a side of Winograd's largest tiles. */
const TILE = 4;

/** A copy with one element replaced. */
function withElement(x: Tensor, at: number, value: number): Tensor {
  const data = Float32Array.from(x.data);
  data[at] = value;
  return tensor(data, { shape: x.shape });
}

describe('a huge number, infinity or NaN in an image', () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 8, max: 16 }),
    size: fc.tuple(fc.integer({ min: 8, max: 21 }), fc.integer({ min: 8, max: 21 })),
    padding: fc.integer({ min: 0, max: 1 }),
    value: fc.constantFrom(1e30, -1e30, inf, -inf, nan),
    place: shares,
    seed: seeds,
  });

  test('changes no bit of a 3×3 convolution by Winograd outside of the tiles that read it', async () => {
    await setBackend('wasm');
    let reached = 0;
    fc.assert(
      fc.property(cases, ({ batch, channels, size: [H, W], padding, value, place, seed }) => {
        const shape = [batch, channels, H, W];
        const x = random(shape, seed);
        const weight = random([channels, channels, 3, 3], seed + 1);
        const at = Math.floor(place * x.size);
        const [image, row, column] = [
          Math.floor(at / (channels * H * W)),
          Math.floor(at / W) % H,
          at % W,
        ];
        const run = (input: Tensor) => conv2d(input, weight, null, { padding });
        const clean = run(x);
        const { data } = run(withElement(x, at, value));
        const [outHeight, outWidth] = clean.shape.slice(2);
        /** Whether a tile that holds output `index` of an axis reads element `position`. */
        const isNear = (index: number, position: number): boolean => {
          const first = Math.floor(index / TILE) * TILE - padding;
          return position >= first && position < first + TILE + 2;
        };
        const changed: number[] = [];
        clean.data.forEach((expected, i) => {
          if (Object.is(data[i], expected)) return;
          const isReached =
            Math.floor(i / (channels * outHeight * outWidth)) === image &&
            isNear(Math.floor(i / outWidth) % outHeight, row) &&
            isNear(i % outWidth, column);
          if (isReached) reached++;
          else changed.push(i);
        });
        expect(changed).toEqual([]);
      }),
      { seed: 20161104, numRuns: 40 },
    );
    expect(reached).toBeGreaterThan(0);
  }, 60_000);
});

describe.each(BACKENDS)('on %s %j', (backend, options) => {
  test('ReLU inside a convolution is that outside, for NaN, infinities and −0', async () => {
    await setBackend(backend, options);
    const values = [nan, inf, -inf, -0, 0, 1e-40, -1e-40, -2, nan];
    const fused = tensor(values, { shape: [1, 1, 3, 3], requiresGrad: true });
    const apart = tensor(values, { shape: [1, 1, 3, 3], requiresGrad: true });
    const weight = ones([1, 1, 1, 1], { requiresGrad: true });
    const gradOut = tensor([1, 2, 3, 4, 5, 6, 7, inf, inf], { shape: [1, 1, 3, 3] });
    const inside = conv2d(fused, weight, null, { activation: 'relu' });
    const outside = relu(conv2d(apart, weight));
    inside.backward(gradOut);
    outside.backward(gradOut);
    expect([...inside.data]).toEqual([...outside.data]);
    expect([...(fused.grad as Tensor).data]).toEqual([...(apart.grad as Tensor).data]);
    // As in PyTorch, the gradient passes where the output is NaN, and is left out, not multiplied by 0.
    expect([...(fused.grad as Tensor).data]).toEqual([1, 2, 0, 0, 0, 6, 0, 0, inf]);
  });

  test('ReLU in branches keeps NaN and its gradient in its own branch', async () => {
    await setBackend(backend, options);
    const x = tensor([nan, 1, -1, 2], { shape: [1, 1, 2, 2], requiresGrad: true });
    const weights = [1, 3].map((side) => ones([1, 1, side, side]));
    const y = conv2dBranches(
      x,
      [
        { weight: weights[0], bias: null },
        { weight: weights[1], bias: null, padding: 1 },
      ],
      { activation: 'relu' },
    );
    expect([...y.data]).toEqual([nan, 1, 0, 2, nan, nan, nan, nan]);
    y.backward(ones(y.shape));
    expect([...(x.grad as Tensor).data]).toEqual([5, 5, 4, 5]);
  });

  test.each([true, false])(
    'ReLU inside a batch norm is that outside, training %s',
    async (training) => {
      await setBackend(backend, options);
      const images = [
        [-3, -2, -1, -0, 0, 1, 2, 3, -1],
        [nan, inf, -inf, -0, 0, 1e-40, -1e-40, -2, 1],
        [5, 5, 5, 5, 5, 5, 5, 5, 5],
      ].flat();
      const [fused, apart] = [1, 2].map(() =>
        tensor(images, { shape: [1, 3, 3, 3], requiresGrad: true }),
      );
      const gradOut = tensor(
        images.map((_, i) => (i % 4 === 3 && i >= 9 ? inf : i - 8)),
        { shape: [1, 3, 3, 3] },
      );
      const norm = (x: Tensor, activation: 'none' | 'relu'): Tensor =>
        batchNorm2d(x, tensor([1, 1, -1]), tensor([0, -0, -0]), {
          runningMean: tensor([0, 0, 5]),
          runningVariance: ones([3]),
          training,
          activation,
        });
      const inside = norm(fused, 'relu');
      const outside = relu(norm(apart, 'none'));
      inside.backward(gradOut);
      outside.backward(gradOut);
      expect([...inside.data]).toEqual([...outside.data]);
      expect([...(fused.grad as Tensor).data]).toEqual([...(apart.grad as Tensor).data]);
    },
  );

  test('batch norm with frozen statistics leaves finite gradients beside infinite ones', async () => {
    await setBackend(backend, options);
    const x = tensor([1, inf, 3, 4, 5], { shape: [1, 1, 1, 5], requiresGrad: true });
    const statistics = { runningMean: zeros([1]), runningVariance: ones([1]) };
    const settings = { ...statistics, training: false, epsilon: 0 };
    const y = batchNorm2d(x, ones([1]), zeros([1]), settings);
    y.backward(tensor([1, 2, inf, -3, 4], { shape: [1, 1, 1, 5] }));
    expect([...y.data]).toEqual([1, inf, 3, 4, 5]);
    expect([...(x.grad as Tensor).data]).toEqual([1, 2, inf, -3, 4]);
  });
});
