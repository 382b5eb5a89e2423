import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { setBackend, type Tensor } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { expectClose } from '../helpers/close.ts';
import { readSafetensors } from '../helpers/safetensors.ts';
import { sharedPath } from '../helpers/shared.ts';

const path = sharedPath('golden', 'squeezenet-5-steps.safetensors');

/** The tensors whose names start with `prefix`, without it. */
function withPrefix(tensors: Readonly<Record<string, Tensor>>, prefix: string) {
  const entries = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

/**
 * Backends, and how far they may be from PyTorch in float64: gradients and weights as a share of the
 * RMS. Winograd's first gradients are as good as those of plain sums, but their last bits decide a
 * max-pool between two nearly equal pixels otherwise, and from there on the losses part (as they do
 * on any backend when the images change by a millionth).
 */
const BACKENDS = [
  { name: 'reference', options: {}, gradient: 1e-5, loss: 1e-5, weight: 1e-5 },
  { name: 'wasm', options: { winograd: false }, gradient: 2e-5, loss: 1e-5, weight: 2e-5 },
  { name: 'wasm', options: { winograd: true }, gradient: 2e-5, loss: 2e-2, weight: 5e-2 },
];

afterAll(() => setBackend('wasm'));

describe.each(BACKENDS)('on $name with $options', ({ name: backend, options, ...tolerance }) => {
  test.skipIf(path === null)(
    'five steps of Momentum follow PyTorch (skipped without ../shared/golden)',
    async () => {
      await setBackend(backend, options);
      const { tensors, metadata } = readSafetensors(path as string);
      const network = new SqueezeNet({ numClasses: 10, dropout: 0 });
      const start = withPrefix(tensors, 'param.');
      expect(network.namedParameters().map(([name]) => name)).toEqual(Object.keys(start));
      network.loadStateDict(start);

      const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
      const optimizer = new Momentum(network.parameters(), {
        learningRate: Number(metadata.learning_rate),
        momentum: Number(metadata.momentum),
        weightDecay: Number(metadata.weight_decay),
      });
      const losses: number[] = [];
      for (let step = 0; step < 5; step++) {
        const logits = network.forward(tensors.input);
        const loss = lossFn.forward(logits, tensors.labels);
        losses.push(loss.item());
        optimizer.zeroGrad();
        loss.backward();
        if (step === 0) {
          expectClose(logits, tensors.logits);
          const grads = withPrefix(tensors, 'grad.');
          for (const [name, parameter] of network.namedParameters()) {
            expectClose(parameter.grad as Tensor, grads[name], tolerance.gradient);
          }
        }
        optimizer.step();
      }
      losses.forEach((loss, i) => {
        expect(Math.abs(loss - tensors.losses.data[i])).toBeLessThan(tolerance.loss);
      });
      const after = withPrefix(tensors, 'after5.');
      expect(Object.keys(after)).toHaveLength(2);
      for (const [name, expected] of Object.entries(after)) {
        expectClose(network.stateDict()[name], expected, tolerance.weight);
      }
    },
    120_000,
  );
});
