// Times workloads or products, given as a JSON list; prints a line of JSON for each.
import { setThreads } from '@firelight/tensor';
import { prepare } from '../prepare.ts';
import { type Product, THREADS, type Timing, type Workload } from '../workloads.ts';

setThreads(THREADS);

for (const work of JSON.parse(process.argv[2]) as (Workload | Product)[]) {
  const run = prepare(work);
  for (let i = 0; i < work.warmups; i++) run();
  const milliseconds = Array.from({ length: work.repetitions }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const timing: Timing = { workload: work.name, milliseconds, peakBytes };
  console.log(JSON.stringify(timing));
}
