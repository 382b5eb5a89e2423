import { describeBackend, setBackend } from '@firelight/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkBranches, checkConvolutions, checkLargeConvolutions } from '../parity.ts';
import { trainSmall } from '../small-training.ts';

const timeout = 300_000; // A software GPU on two cores.

beforeAll(() => setBackend('gpu'));

test('headless-gl is what Node with a display takes, and nobody calls it a GPU', async () => {
  expect(describeBackend().summary).toMatch(
    /^gpu: gpu\.js in mode headlessgl \(HeadlessGLKernel\) on 'ANGLE' \(it does not say whether/,
  );
  await setBackend('auto');
  expect(describeBackend().name).toBe('wasm');
  expect(describeBackend().summary).toContain(
    "headlessgl: 'ANGLE' does not say whether it is a GPU",
  );
  await setBackend('gpu');
});

describe('convolutions equal the reference', () => {
  const options = { mode: 'headlessgl' } as const;

  test('for random windows', () => checkConvolutions(options, { numRuns: 40 }), timeout);

  test('for branches', () => checkBranches(options, { numRuns: 15 }), timeout);

  test('for larger shapes', () => checkLargeConvolutions(options), timeout);
});

test(
  'a small network learns as on wasm',
  async () => {
    await setBackend('wasm');
    const expected = await trainSmall({ steps: 30 });
    await setBackend('gpu');
    const losses = await trainSmall({ steps: 30 });
    losses.forEach((loss, i) => {
      expect(Math.abs(loss - expected[i])).toBeLessThan(1e-3);
    });
  },
  timeout,
);

test(
  '500 training steps do not make the process larger',
  async () => {
    // Mesa keeps textures in main memory: one of those lost in each step would be 40 MB in the end.
    const sizes: number[] = [];
    await trainSmall({
      steps: 500,
      imageSize: 48,
      afterStep(step) {
        if (step % 100 === 0) sizes.push(process.memoryUsage().rss / 2 ** 20);
      },
    });
    expect(sizes[4] - sizes[0]).toBeLessThan(30);
  },
  timeout,
);
