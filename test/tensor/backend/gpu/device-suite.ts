import { type BackendOptions, conv2d, full as fill, setBackend, tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { checkBranches, checkLargeConvolutions, checkRandomConvolutions } from './parity.ts';
import { trainSmall } from './small-training.ts';

/**
 * What every device must do.
 *
 * @param numRuns random convolutions; software GPUs compile slowly
 * @param timeout milliseconds for each test
 */
export function describeDevice(
  options: BackendOptions,
  { numRuns, timeout }: { readonly numRuns: number; readonly timeout: number },
): void {
  describe('convolutions and their gradients equal the reference', () => {
    test('for random windows', () => checkRandomConvolutions(options, { numRuns }), timeout);

    test(
      'for branches',
      () => checkBranches(options, { numRuns: Math.ceil(numRuns / 3) }),
      timeout,
    );

    test('for larger shapes', () => checkLargeConvolutions(options), timeout);

    test(
      'when results are read at once',
      () => checkRandomConvolutions({ ...options, keepOnDevice: false }, { numRuns: 3 }),
      timeout,
    );
  });

  test(
    'ReLU lets NaN through, so that a training that fails is noticed',
    async () => {
      await setBackend('gpu', options);
      const x = tensor([[[[1, Number.NaN, -3, 2]]]]);
      const y = conv2d(x, tensor([[[[2]]]]), null, { activation: 'relu' });
      expect(y.toArray()).toEqual([[[[2, Number.NaN, 0, 4]]]]);
    },
    timeout,
  );

  test(
    'infinity does not spread through places that no channel takes',
    async () => {
      await setBackend('gpu', options);
      const x = tensor([[[[Number.POSITIVE_INFINITY, 1]]]], { requiresGrad: true });
      const weight = tensor([[[[-1]]]]);
      const y = conv2d(conv2d(x, weight, null, { activation: 'relu' }), tensor([[[[1]]]]));
      expect(y.toArray()).toEqual([[[[0, 0]]]]);
      // The same on the way back: through the gradient of the second convolution.
      const z = conv2d(conv2d(x, weight), tensor([[[[2]]]]));
      z.backward(tensor([[[[Number.POSITIVE_INFINITY, 1]]]]));
      expect(x.grad?.toArray()).toEqual([[[[Number.NEGATIVE_INFINITY, -2]]]]);
      // In groups of five channels, each of which leaves three places of its second quad empty.
      const wide = fill([1, 10, 1, 1], Number.POSITIVE_INFINITY);
      const grouped = conv2d(wide, fill([10, 5, 1, 1], 1), null, { groups: 2 });
      const next = conv2d(grouped, fill([10, 5, 1, 1], 1), null, { groups: 2 });
      expect(Array.from(next.data)).toEqual(new Array(10).fill(Number.POSITIVE_INFINITY));
    },
    timeout,
  );

  test(
    'a small network learns as on wasm',
    async () => {
      await setBackend('wasm');
      const expected = await trainSmall({ steps: 30 });
      await setBackend('gpu', options);
      const losses = await trainSmall({ steps: 30 });
      losses.forEach((loss, i) => {
        expect(Math.abs(loss - expected[i])).toBeLessThan(1e-3);
      });
      expect(losses[29]).toBeLessThan(losses[0]);
    },
    timeout,
  );
}
