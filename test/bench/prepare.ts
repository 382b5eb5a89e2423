import { SqueezeNet } from '@firelight/nn';
import { Generator, noGrad, randn, tensor, tidy } from '@firelight/tensor';
import { trainingStep } from './training-step.ts';
import type { Workload } from './workloads.ts';

/** What is timed of a workload, ready to run. */
export function prepare({ kind, batch, size }: Workload): () => unknown {
  const generator = new Generator(0);
  const images = randn([batch, 3, size, size], { generator });
  if (kind === 'infer') {
    const network = new SqueezeNet({ numClasses: 10, generator }).eval();
    return () => tidy(() => noGrad(() => network.forward(images).data));
  }
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const step = trainingStep(generator);
  return () => step(images, labels);
}
