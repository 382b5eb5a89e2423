import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, randn, setBackend, tensor } from '@firelight/tensor';
import { afterEach, expect, test, vi } from 'vitest';
import type { Kernels } from '../../../packages/tensor/src/backend/contract.ts';
import { referenceKernels } from '../../../packages/tensor/src/backend/reference/index.ts';
import { wasmBackend } from '../../../packages/tensor/src/backend/wasm/wasm-backend.ts';

/** Gives the names of the kernels among these that are called from now on. */
function spyOn(kernels: Partial<Kernels>): () => string[] {
  const names = Object.keys(kernels) as (keyof Kernels)[];
  const spies = names.map((name) => vi.spyOn(kernels as Kernels, name));
  return () => names.filter((_, i) => spies[i].mock.calls.length > 0);
}

afterEach(async () => {
  vi.restoreAllMocks();
  await setBackend('wasm');
});

test.each([false, true])('a training step runs on wasm alone, batch norm %s', async (batchNorm) => {
  const [onWasm, onReference] = [wasmBackend.kernels, referenceKernels].map(spyOn);
  await setBackend('wasm'); // Which takes the kernels as they are now.
  const generator = new Generator(0);
  const network = new SqueezeNet({ numClasses: 10, batchNorm, bypass: 'simple', generator });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = new Momentum(network.parameters(), { learningRate: 0.01, momentum: 0.9 });
  const images = randn([4, 3, 64, 64], { generator });
  const labels = tensor(Int32Array.of(3, 1, 4, 1));
  const loss = lossFn.forward(network.forward(images), labels);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  expect(onReference()).toEqual([]);
  expect(onWasm().length).toBeGreaterThan(10);
});
