// Times workloads named on the command line; prints a line of JSON for each.
import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, noGrad, randn, setThreads, tensor, tidy } from '@firelight/tensor';
import { type Timing, WORKLOADS, type Workload } from '../workloads.ts';

setThreads(Number(process.env.THREADS ?? 2));

function prepare({ kind, batch, size }: Workload): () => unknown {
  const generator = new Generator(0);
  const network = new SqueezeNet({ numClasses: 10, generator });
  const images = randn([batch, 3, size, size], { generator });
  if (kind === 'infer') {
    network.eval();
    return () => tidy(() => noGrad(() => network.forward(images).data));
  }
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = new Momentum(network.parameters(), {
    learningRate: 0.01,
    momentum: 0.9,
    weightDecay: 1e-4,
  });
  return () =>
    tidy(() => {
      const loss = lossFn.forward(network.forward(images), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
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
