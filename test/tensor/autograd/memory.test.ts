import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  add,
  conv2d,
  Generator,
  mean,
  memory,
  momentumStep,
  mul,
  ones,
  ReleasedError,
  randn,
  relu,
  reshape,
  sum,
  type Tensor,
  tensor,
  tidy,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { runtime } from '../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Counts after everything unreachable has been found; finalizers need turns of the event loop. */
async function settledMemory() {
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return memory();
}

/** A small network with everything that a training step allocates. */
function makeStep(): () => number {
  const generator = new Generator(0);
  const x = randn([4, 3, 8, 8], { generator });
  const weight = randn([8, 3, 3, 3], { generator, requiresGrad: true });
  const bias = randn([8], { generator, requiresGrad: true });
  return () => {
    const loss = mean(relu(conv2d(x, weight, bias, { padding: 1 })));
    weight.grad = null;
    bias.grad = null;
    loss.backward();
    return loss.item();
  };
}

describe('memory stays flat over 2,000 training steps', () => {
  test('with tidy, at every step', () => {
    const step = makeStep();
    tidy(step);
    const before = memory();
    for (let i = 0; i < 2000; i++) {
      tidy(step);
      // The gradients of the step before are gone only when collected.
      expect(memory().tensors - before.tensors).toBeLessThanOrEqual(2 * (i + 1));
    }
  });

  test('without tidy, where nothing but ready promises are awaited', async () => {
    // As in `for await` over a data set: finalizers get no turn of the event loop.
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      tensor(new Float32Array(2 ** 18).fill(i));
      await null;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(500 * 2 ** 20);
  });

  test.each([
    ['with tidy', tidy],
    ['without', (step: () => number) => step()],
  ])('with the data of everything read, %s', (_, scope) => {
    // 128 KiB an activation: 250 MiB in 2,000 steps, were they kept.
    const generator = new Generator(0);
    const x = randn([4, 3, 32, 32], { generator });
    const weight = randn([8, 3, 3, 3], { generator, requiresGrad: true });
    const momentum = { learningRate: 0, momentum: 0.9, weightDecay: 0, lossScale: 1 };
    const velocity = zeros(weight.shape);
    const step = (): number => {
      const activation = relu(conv2d(x, weight, null, { padding: 1 }));
      const loss = mean(activation);
      loss.backward();
      const { grad } = weight as { grad: Tensor };
      momentumStep(weight, velocity, grad, { ...momentum, nesterov: false });
      const read = [x, weight, activation, loss, grad, velocity];
      const total = read.reduce((sum, { data }) => sum + data[0], 0);
      grad.dispose();
      weight.grad = null;
      return total;
    };
    const { arena } = runtime();
    // Until x, which never changes, has got a place of its own in the arena.
    for (let i = 0; i < 500; i++) scope(step);
    const [used, before] = [arena.usedBytes, process.memoryUsage().arrayBuffers];
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      scope(step);
      expect(arena.usedBytes).toBe(used);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(150 * 2 ** 20);
  });

  test('with tidy and without, once collected', async () => {
    const step = makeStep();
    step();
    const before = await settledMemory();
    const heapBefore = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1000; i++) tidy(step);
    for (let i = 0; i < 1000; i++) step();
    const after = await settledMemory();
    expect(after.tensors).toBeLessThanOrEqual(before.tensors);
    expect(after.bytes).toBeLessThanOrEqual(before.bytes);
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(8e6);
  });
});

describe('tidy', () => {
  test('releases what is made inside, and keeps what is returned', () => {
    let inner: Tensor | undefined;
    const before = memory();
    const { kept } = tidy(() => {
      inner = ones([10]);
      return { kept: [add(inner, 1)] };
    });
    expect(kept[0].data[0]).toBe(2);
    expect(memory().tensors - before.tensors).toBe(1);
    expect(memory().bytes - before.bytes).toBe(40);
    expect(() => inner?.data).toThrow(ReleasedError);
    expect(() => inner?.data).toThrow(/tidy\(\), in which it was made, has ended/);
    expect(String(inner)).toBe('tensor(<released>, shape=[10], dtype=float32)');
  });

  test('hands on to the scope around it', () => {
    let moved: Tensor | undefined;
    tidy(() => {
      moved = tidy(() => ones([2]));
      expect(moved.data[1]).toBe(1);
    });
    expect(() => moved?.data).toThrow(ReleasedError);
  });

  test('keeps the gradients of tensors from outside', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    tidy(() => sum(mul(x, 3)).backward());
    tidy(() => sum(mul(x, 1)).backward());
    expect(x.grad?.toArray()).toEqual([4, 4]);
  });

  test('releases also when an error is thrown', () => {
    const before = memory().tensors;
    expect(() =>
      tidy(() => {
        ones([3]);
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(memory().tensors).toBe(before);
  });

  test('keeps memory that a reshaped tensor shares', () => {
    const y = tidy(() => reshape(ones([4]), [2, 2]));
    expect(y.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test('refuses an async function', () => {
    expect(() => tidy(async () => 1)).toThrow(ValueError);
    expect(() => tidy(async () => 1)).toThrow(/tidy: the function must not be async/);
  });
});

test('dispose gives the memory back at once', () => {
  const before = memory();
  const x = ones([1000]);
  expect(memory().bytes - before.bytes).toBe(4000);
  x.dispose();
  x.dispose();
  expect(memory()).toEqual(before);
  expect(() => x.data).toThrow(ReleasedError);
});

test('backward lets go of the activations', async () => {
  const x = ones([100_000], { requiresGrad: true });
  const loss = sum(relu(mul(x, 2)));
  const before = await settledMemory();
  loss.backward();
  const after = await settledMemory();
  // Two activations of 400,000 bytes and the factor 2 are gone, the gradient of x is new.
  expect(before.bytes - after.bytes).toBeGreaterThanOrEqual(400_000);
  expect(loss.item()).toBe(200_000);
});
