import { conv2d, setBackend, setThreads, type Tensor, tensor, zeros } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import {
  checkConvolutions,
  type Expectations,
  WASM_VARIANTS,
  WINOGRAD_VARIANTS,
} from '../../helpers/convolution-parity.ts';

afterAll(() => setBackend('wasm'));

const LIMITS = { maxGroupChannels: 24, budget: 100_000 };

describe('random convolutions and their gradients equal the reference in float64', () => {
  const known: Expectations = new Map();
  afterAll(() => known.clear());

  test('on reference in float32', async () => {
    await checkConvolutions({ backend: 'reference' }, { ...LIMITS, numRuns: 300 }, known);
  }, 300_000);

  test.each(WASM_VARIANTS)(
    'on wasm, $name',
    async ({ threads, ...variant }) => {
      setThreads(threads);
      await checkConvolutions({ backend: 'wasm', ...variant }, { ...LIMITS, numRuns: 400 }, known);
    },
    600_000,
  );

  test.each(WINOGRAD_VARIANTS)(
    'on wasm, 3×3 kernels $name',
    async ({ threads, ...variant }) => {
      setThreads(threads);
      const limits = { maxGroupChannels: 64, budget: 300_000, isFor3x3: true };
      await checkConvolutions({ backend: 'wasm', ...variant }, { ...limits, numRuns: 300 }, known);
    },
    600_000,
  );
});

/** Pixels 1, 2, 3, … of one image with one channel. */
function pixels(height: number, width: number): Tensor {
  const data = Float32Array.from({ length: height * width }, (_, i) => i + 1);
  return tensor(data, { shape: [1, 1, height, width], requiresGrad: true });
}

/**
 * Windows whose pixels lie unevenly, but so that some four or eight of them are as far apart as even
 * ones would be.
 */
describe.each(['reference', 'wasm'])('on %s', (backend) => {
  test('rows that are left out', async () => {
    await setBackend(backend);
    const x = pixels(3, 3);
    const weight = tensor([[[[2]]]], { requiresGrad: true });
    const y = conv2d(x, weight, null, { stride: [2, 1] });
    expect(y.toArray()).toEqual([
      [
        [
          [2, 4, 6],
          [14, 16, 18],
        ],
      ],
    ]);
    y.backward(
      tensor([
        [
          [
            [1, 10, 100],
            [1000, 1e4, 1e5],
          ],
        ],
      ]),
    );
    expect(weight.grad?.toArray()).toEqual([[[[987_321]]]]);
    expect(x.grad?.toArray()).toEqual([
      [
        [
          [2, 20, 200],
          [0, 0, 0],
          [2000, 2e4, 2e5],
        ],
      ],
    ]);
  });

  test('seven outputs of a row, and the next row seven further on', async () => {
    await setBackend(backend);
    const y = conv2d(pixels(2, 14), tensor([[[[1, 0, 0, 0, 0, 0, 0, 1000]]]]));
    expect(y.toArray()).toEqual([
      [
        [
          [8001, 9002, 10_003, 11_004, 12_005, 13_006, 14_007],
          [22_015, 23_016, 24_017, 25_018, 26_019, 27_020, 28_021],
        ],
      ],
    ]);
  });

  test('the gradient by the input of two images of seven pixels, with two channels out', async () => {
    await setBackend(backend);
    const x = zeros([2, 1, 1, 7], { requiresGrad: true });
    const gradOut = Float32Array.from({ length: 28 }, (_, i) => i + 1);
    conv2d(x, tensor([[[[1]]], [[[100]]]])).backward(tensor(gradOut, { shape: [2, 2, 1, 7] }));
    expect(x.grad?.toArray()).toEqual([
      [[[801, 902, 1003, 1104, 1205, 1306, 1407]]],
      [[[2215, 2316, 2417, 2518, 2619, 2720, 2821]]],
    ]);
  });

  test('the gradient by the weight over three outputs of a row, and the next three further on', async () => {
    await setBackend(backend);
    const weight = zeros([1, 1, 1, 4], { requiresGrad: true });
    conv2d(pixels(2, 6), weight).backward(
      tensor([
        [
          [
            [0, 1, 10],
            [100, 1000, 0],
          ],
        ],
      ]),
    );
    expect(weight.grad?.toArray()).toEqual([[[[8732, 9843, 10_954, 12_065]]]]);
  });
});
