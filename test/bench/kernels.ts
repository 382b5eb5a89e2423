// The speed of matrix products and convolutions as a share of what the registers allow, and where
// the time of a training step goes.
import {
  conv2d,
  Generator,
  matmul,
  noGrad,
  randn,
  setThreads,
  tensor,
  tidy,
} from '@firelight/tensor';
import { wholeTileKernel } from '../../packages/tensor/src/backend/wasm/micro-kernel/micro-kernel.ts';
import { tileOf } from '../../packages/tensor/src/backend/wasm/micro-kernel/tile.ts';
import { Runtime, runtime } from '../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { defineTask } from '../../packages/tensor/src/backend/wasm/runtime/task.ts';
import { median, table, time } from './statistics.ts';
import { trainingStep } from './training-step.ts';
import { SQUEEZENET, THREADS } from './workloads.ts';

const PEAK_K = 256;
const PEAK_CALLS = 4000;

/** The micro-kernel on operands that never leave the first-level cache. */
const peakTask = defineTask('registerPeak', {}, (f, _, { scratch }) => {
  f.for(0, PEAK_CALLS, 1, () => {
    f.call(wholeTileKernel(f), {
      a: scratch,
      b: scratch.plus(8192),
      k: PEAK_K,
      c: { address: scratch.plus(65_536), rowStride: tileOf(f.features).columns * 4 },
      ending: { mode: 0, bias: scratch },
    });
  });
});

function measurePeak(): number {
  const { rows, columns } = tileOf(runtime().features);
  const flop = 2 * rows * columns * PEAK_K * PEAK_CALLS * THREADS;
  const times = time(() => runtime().run(peakTask, THREADS, {}), 15);
  return flop / Math.min(...times) / 1e6;
}

setThreads(THREADS);
const rows = [['', 'median ms', 'min ms', 'GFLOP/s', 'of peak']];
const peak = measurePeak();
rows.push(['registers (one tile, no memory)', '', '', peak.toFixed(1), '100 %']);

function addRow(title: string, flop: number, run: () => unknown): void {
  const times = time(() => tidy(() => noGrad(() => void run())), 15);
  const rate = flop / median(times) / 1e6;
  const share = `${((100 * rate) / peak).toFixed(0)} %`;
  rows.push([
    title,
    median(times).toFixed(2),
    Math.min(...times).toFixed(2),
    rate.toFixed(1),
    share,
  ]);
}

const generator = new Generator(0);
const random = (...shape: number[]) => randn(shape, { generator });

const a = random(1024, 1024);
addRow('sgemm 1024³', 2 * 1024 ** 3, () => matmul(a, a));
for (const [outChannels, channels, size, kernel, stride, batch] of [
  [96, 3, 224, 7, 2, 8],
  [16, 96, 54, 1, 1, 8],
  [64, 16, 54, 1, 1, 8],
  [64, 16, 54, 3, 1, 8],
  [128, 32, 27, 3, 1, 8],
  [256, 64, 13, 3, 1, 32],
  [64, 512, 13, 1, 1, 32],
]) {
  const padding = kernel === 3 ? 1 : 0;
  const x = random(batch, channels, size, size);
  const weight = random(outChannels, channels, kernel, kernel);
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const flop = 2 * batch * outChannels * channels * kernel ** 2 * out ** 2;
  addRow(`conv ${kernel}×${kernel} ${channels} → ${outChannels}, ${size}²`, flop, () =>
    conv2d(x, weight, null, { stride, padding }),
  );
}
console.log(`\n${table(rows)}`);
console.log('(3×3 convolutions count the products of the plain sum; Winograd needs fewer.)');

/** Milliseconds of a training step by task. */
function breakdown(size: number, steps: number): void {
  const images = random(32, 3, size, size);
  const labels = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 10));
  const train = trainingStep(SQUEEZENET, generator);
  const step = (): number => train(images, labels);
  for (let i = 0; i < 3; i++) step();

  const spent = new Map<string, { milliseconds: number; jobs: number }>();
  const { run } = Runtime.prototype;
  Runtime.prototype.run = function timed(this: Runtime, task, parts, values) {
    const start = performance.now();
    run.call(this, task as never, parts, values as never);
    const { milliseconds, jobs } = spent.get(task.name) ?? { milliseconds: 0, jobs: 0 };
    const now = milliseconds + performance.now() - start;
    spent.set(task.name, { milliseconds: now, jobs: jobs + 1 });
  };
  const start = performance.now();
  for (let i = 0; i < steps; i++) step();
  const total = (performance.now() - start) / steps;
  Runtime.prototype.run = run;

  const tasks = [...spent].sort(([, x], [, y]) => y.milliseconds - x.milliseconds);
  const inTasks = tasks.reduce((sum, [, { milliseconds }]) => sum + milliseconds, 0) / steps;
  const share = (milliseconds: number): string => `${((100 * milliseconds) / total).toFixed(1)} %`;
  const lines = tasks.slice(0, 14).map(([name, { milliseconds, jobs }]) => {
    const each = milliseconds / steps;
    return [name, each.toFixed(2), share(each), String(jobs / steps)];
  });
  const rest = total - inTasks;
  console.log(`\nTraining step, batch 32, ${size}²: ${total.toFixed(0)} ms`);
  console.log(
    table([
      ['task', 'ms', 'share', 'jobs'],
      ...lines,
      ['outside of tasks', rest.toFixed(2), share(rest), ''],
    ]),
  );
}

breakdown(224, 3);
breakdown(64, 20);
