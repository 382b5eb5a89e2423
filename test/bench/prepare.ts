import { Generator, noGrad, randn, tensor, tidy } from '@firelight/tensor';
import { networkOf } from './networks.ts';
import { recipeStep, trainingStep } from './training-step.ts';
import type { Workload } from './workloads.ts';

/** What is timed of a workload, ready to run. */
export function prepare({ kind, network, batch, size }: Workload): () => unknown {
  const generator = new Generator(0);
  const images = randn([batch, 3, size, size], { generator });
  if (kind === 'infer') {
    const model = networkOf(network, generator).eval();
    return () => tidy(() => noGrad(() => model.forward(images).data));
  }
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const step =
    network.name === 'npm run train' ? recipeStep(network, generator) : trainingStep(generator);
  return () => step(images, labels);
}
