// Times workloads named on the command line; prints a line of JSON for each.
import { setThreads } from '@firelight/tensor';
import { prepare } from '../prepare.ts';
import { type Timing, WORKLOADS } from '../workloads.ts';

setThreads(Number(process.env.THREADS ?? 2));

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
