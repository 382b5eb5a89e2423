// Times workloads named on the command line; prints a line of JSON for each.
import { SqueezeNet } from '@firelight/nn';
import { Generator, noGrad, randn, setThreads, tensor, tidy } from '@firelight/tensor';
import { trainingStep } from '../training-step.ts';
import { type Timing, WORKLOADS, type Workload } from '../workloads.ts';

setThreads(Number(process.env.THREADS ?? 2));

function prepare({ kind, batch, size }: Workload): () => unknown {
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

for (const workload of WORKLOADS.filter(({ name }) => process.argv.includes(name))) {
  const run = prepare(workload);
  for (let i = 0; i < workload.warmups; i++) run();
  const milliseconds = Array.from({ length: workload.repetitions }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const timing: Timing = { workload: workload.name, milliseconds, peakBytes };
  console.log(JSON.stringify(timing));
}
