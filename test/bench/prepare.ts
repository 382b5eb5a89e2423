import { Generator, matmul, noGrad, randn, tensor, tidy } from '@firelight/tensor';
import { networkOf } from './networks.ts';
import { recipeStep, trainingStep } from './training-step.ts';
import type { Product, Workload } from './workloads.ts';

/** What is timed of a workload, ready to run. */
export function prepare(work: Workload | Product): () => unknown {
  const generator = new Generator(0);
  if (work.kind === 'product') {
    const a = randn([work.rows, work.inner], { generator });
    const b = randn([work.inner, work.columns], { generator });
    return () => tidy(() => noGrad(() => void matmul(a, b)));
  }
  const { kind, network, batch, size } = work;
  const images = randn([batch, 3, size, size], { generator });
  if (kind === 'infer') {
    const model = networkOf(network, generator).eval();
    return () => tidy(() => noGrad(() => model.forward(images).data));
  }
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const stepOf = network.name === 'npm run train' ? recipeStep : trainingStep;
  const step = stepOf(network, generator);
  return () => step(images, labels);
}
