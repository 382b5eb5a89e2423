import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import type { Tensor } from '@firelight/tensor';
import { expect } from 'vitest';
import { expectClose } from './close.ts';
import type { SafetensorsFile } from './parse-safetensors.ts';

/** The tensors whose names start with `prefix`, without it. */
function withPrefix(tensors: Readonly<Record<string, Tensor>>, prefix: string) {
  const entries = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** How far a backend may be from PyTorch in float64: gradients and weights as a share of the RMS. */
export interface GoldenTolerance {
  readonly gradient: number;
  readonly loss: number;
  readonly weight: number;
}

/**
 * Trains SqueezeNet for the golden file's five steps, or the first of them, on the backend in use, and
 * compares.
 */
export function expectGoldenTraining(
  { tensors, metadata }: SafetensorsFile,
  { steps = 5, ...tolerance }: GoldenTolerance & { readonly steps?: number },
): void {
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
  for (let step = 0; step < steps; step++) {
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
  if (steps < 5) return;
  const after = withPrefix(tensors, 'after5.');
  expect(Object.keys(after)).toHaveLength(2);
  for (const [name, expected] of Object.entries(after)) {
    expectClose(network.stateDict()[name], expected, tolerance.weight);
  }
}
