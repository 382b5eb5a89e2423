import { describeBackend, setBackend } from '@firelight/tensor';
import { beforeAll, expect, test } from 'vitest';
import { describeDevice } from '../device-suite.ts';
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

describeDevice({ mode: 'headlessgl' }, { numRuns: 40, timeout });

test(
  '500 training steps do not make the process larger',
  async () => {
    // Mesa keeps textures in main memory: one of the first layer lost in each step is 90 MB.
    const sizes: number[] = [];
    await trainSmall({
      steps: 500,
      imageSize: 48,
      afterStep(step) {
        if (step % 100 === 0) sizes.push(process.memoryUsage().rss / 2 ** 20);
      },
    });
    expect(sizes[4] - sizes[1]).toBeLessThan(40);
  },
  timeout,
);
