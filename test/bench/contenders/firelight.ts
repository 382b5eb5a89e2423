// Times workloads, given as a JSON list; prints a line of JSON for each.
import { setThreads } from '@firelight/tensor';
import { prepare } from '../prepare.ts';
import { THREADS, type Timing, type Workload } from '../workloads.ts';

setThreads(THREADS);

for (const workload of JSON.parse(process.argv[2]) as Workload[]) {
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
