import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, randn, setBackend, tensor } from '@firelight/tensor';
import { afterEach, expect, test, vi } from 'vitest';
import { KERNELS, ownKernels } from '../../helpers/own-kernels.ts';

/** Gives the names of a backend's kernels that are called from now on. */
function spyOn(backend: string): () => string[] {
  const spies = KERNELS.flatMap((name) => {
    const own = ownKernels(backend, name);
    return own === undefined ? [] : [{ name, spy: vi.spyOn(own, name) }];
  });
  return () => spies.filter(({ spy }) => spy.mock.calls.length > 0).map(({ name }) => name);
}

afterEach(async () => {
  vi.restoreAllMocks();
  await setBackend('wasm');
});

test.each([false, true])('a training step runs on wasm alone, batch norm %s', async (batchNorm) => {
  const [onWasm, onReference] = ['wasm', 'reference'].map(spyOn);
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
