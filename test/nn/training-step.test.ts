import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { describeBackend, Generator, randn, setBackend, tensor } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { kernels } from '../../packages/tensor/src/backend/registry.ts';
import { NdArray } from '../../packages/tensor/src/core/ndarray.ts';

/** Names of the kernels that `body` calls, and the element types of the arrays given to them. */
function callsDuring(body: () => void): Map<string, Set<string>> {
  const table = kernels() as unknown as Record<string, (...values: unknown[]) => unknown>;
  const originals = { ...table };
  const calls = new Map<string, Set<string>>();
  for (const [name, kernel] of Object.entries(originals)) {
    table[name] = (...values) => {
      const types = calls.get(name) ?? new Set();
      calls.set(name, types);
      for (const value of values.flat()) if (value instanceof NdArray) types.add(value.dtype);
      return kernel(...values);
    };
  }
  try {
    body();
  } finally {
    Object.assign(table, originals);
  }
  return calls;
}

test.each([false, true])('a training step runs on wasm alone, batch norm %s', async (batchNorm) => {
  await setBackend('wasm');
  const generator = new Generator(0);
  const network = new SqueezeNet({ numClasses: 10, batchNorm, bypass: 'simple', generator });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = new Momentum(network.parameters(), { learningRate: 0.01, momentum: 0.9 });
  const images = randn([4, 3, 64, 64], { generator });
  const labels = tensor(Int32Array.of(3, 1, 4, 1));
  const calls = callsDuring(() => {
    const loss = lossFn.forward(network.forward(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  });

  const { kernels: described } = describeBackend();
  expect(calls.size).toBeGreaterThan(10);
  for (const [name, types] of calls) {
    expect(described).toHaveProperty(name, { backend: 'wasm', reason: null });
    // Labels and the positions of maxima are the only integers, in kernels that take them.
    const expected = /softmaxCrossEntropy|maxPool2dGrad/.test(name)
      ? ['float32', 'int32']
      : ['float32'];
    expect({ name, types: [...types].sort() }).toEqual({ name, types: expected });
  }
});
