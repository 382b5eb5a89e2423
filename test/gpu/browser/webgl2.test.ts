import { describeBackend, memory, setBackend } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSafetensors } from '../../helpers/parse-safetensors.ts';
import { expectGoldenTraining } from '../../helpers/squeezenet-golden.ts';
import { checkBranches, checkConvolutions, checkLargeConvolutions } from '../parity.ts';
import { trainSmall } from '../small-training.ts';
import { sharedFile } from './shared-file.ts';

const golden = await sharedFile('golden', 'squeezenet-5-steps.safetensors');
const timeout = 300_000; // A software GPU on two cores.

beforeAll(() => setBackend('gpu'), timeout);
afterAll(() => setBackend('wasm'));

test('WebGL2 is what a browser takes, and is called what it is', async () => {
  const { name, summary, kernels } = describeBackend();
  expect(name).toBe('gpu');
  expect(summary).toMatch(
    /^gpu: gpu\.js in mode webgl2 \(WebGL2Kernel\) on '.*SwiftShader.*' \(software\); convolutions/,
  );
  expect(kernels.conv2dGrad).toEqual({ backend: 'gpu', reason: null });
});

test('auto does not take a software GPU', async () => {
  await setBackend('auto');
  const { name, summary } = describeBackend();
  expect(name).toBe('wasm');
  expect(summary).toMatch(/not 'gpu': webgl2: '.*SwiftShader.*' is software, slower than 'wasm'/);
  expect(summary).toContain('headlessgl: it needs Node');
  expect(summary).toContain('webgpu: the main thread of a page may not wait for it');
  await setBackend('gpu');
});

describe('convolutions equal the reference', () => {
  const options = { mode: 'webgl2' } as const;

  test('for random windows', () => checkConvolutions(options, { numRuns: 25 }), timeout);

  test('for branches', () => checkBranches(options, { numRuns: 8 }), timeout);

  test('for larger shapes', () => checkLargeConvolutions(options), timeout);

  test(
    'when results are read at once',
    () => checkConvolutions({ ...options, keepOnDevice: false }, { numRuns: 3 }),
    timeout,
  );
});

test.skipIf(golden === null)(
  'SqueezeNet follows PyTorch for five steps (skipped without ../shared/golden)',
  async () => {
    await setBackend('gpu');
    const tolerance = { gradient: 2e-5, loss: 1e-4, weight: 1e-3 };
    expectGoldenTraining(parseSafetensors(golden as Uint8Array), tolerance);
  },
  timeout,
);

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
    expect(losses[29]).toBeLessThan(losses[0]);
  },
  timeout,
);

test(
  '500 training steps leave nothing behind',
  async () => {
    // Counted where they are made: below gpu.js, in the browser itself.
    const prototype = WebGL2RenderingContext.prototype;
    const { createTexture, deleteTexture } = prototype;
    let textures = 0;
    prototype.createTexture = function () {
      textures++;
      return createTexture.call(this);
    };
    prototype.deleteTexture = function (texture) {
      if (texture !== null) textures--;
      deleteTexture.call(this, texture);
    };
    try {
      await setBackend('gpu');
      const counts = new Map<number, number[]>();
      await trainSmall({
        steps: 500,
        afterStep(step) {
          if (step % 100 === 0) counts.set(step, [textures, memory().tensors, memory().bytes]);
        },
      });
      const [first, ...later] = [...counts.values()];
      expect(later).toHaveLength(4);
      for (const count of later) expect(count).toEqual(first);
    } finally {
      Object.assign(prototype, { createTexture, deleteTexture });
    }
  },
  timeout,
);
