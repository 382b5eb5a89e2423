// The gpu backend beside wasm and, where there is CUDA, PyTorch; what keeping results on the device
// saves. Arguments: mode of gpu.js, address of the package webgpu (both may be empty), workloads.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  type BackendOptions,
  describeBackend,
  Generator,
  randn,
  setBackend,
  tensor,
} from '@firelight/tensor';
import { WatchedDevice, webAssemblyDevice, withDevice } from '../tensor/backend/gpu/devices.ts';
import { PYTHON } from './peers.ts';
import { prepare } from './prepare.ts';
import { median, table } from './statistics.ts';
import { trainingStep } from './training-step.ts';
import { SQUEEZENET, type Timing, WORKLOADS, type Workload } from './workloads.ts';

/** Software GPUs are slow: each measurement ends after so many runs, or so many milliseconds. */
const MOST_RUNS = 10;
const LONGEST_MS = 20_000;

const [mode, webgpuModule, names] = process.argv.slice(2);
const gpuOptions = {
  ...(mode !== '' && { mode }),
  ...(webgpuModule !== '' && { webgpuModule }),
} as BackendOptions; // setBackend checks the mode.

const CONTENDERS: readonly [title: string, backend: string, options: BackendOptions][] = [
  ['wasm', 'wasm', {}],
  ['gpu', 'gpu', gpuOptions],
  ['gpu, read at once', 'gpu', { ...gpuOptions, keepOnDevice: false }],
];

async function timeOn(backend: string, options: BackendOptions, run: () => unknown) {
  await setBackend(backend, options);
  run();
  run(); // The first run compiles, the second one may still warm up.
  const times: number[] = [];
  const end = performance.now() + LONGEST_MS;
  while (times.length < MOST_RUNS && (times.length === 0 || performance.now() < end)) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** Times of PyTorch on CUDA by workload, or null where there is none. */
function cuda(workloads: readonly Workload[]): ReadonlyMap<string, number> | null {
  const script = fileURLToPath(new URL('./contenders/pytorch.py', import.meta.url));
  try {
    const output = execFileSync(PYTHON, [script, 'default', JSON.stringify(workloads)], {
      encoding: 'utf8',
      env: { ...process.env, DEVICE: 'cuda' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const timings = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Timing);
    return new Map(timings.map(({ workload, milliseconds }) => [workload, median(milliseconds)]));
  } catch {
    return null;
  }
}

/** What one training step moves to and from the device, whichever it is. */
async function transfers(keepOnDevice: boolean): Promise<string[]> {
  const device = new WatchedDevice(await webAssemblyDevice());
  const generator = new Generator(0);
  const images = randn([2, 3, 64, 64], { generator });
  const step = trainingStep(SQUEEZENET, generator);
  await withDevice({ device, keepOnDevice }, () => {
    step(images, tensor(new Int32Array([0, 1])));
    device.reset();
    step(images, tensor(new Int32Array([0, 1])));
  });
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);
  const { runs, reads, uploadedBytes, readBytes } = device;
  return [runs.length, megabytes(uploadedBytes), reads, megabytes(readBytes)].map(String);
}

const workloads = WORKLOADS.filter(({ name }) => names.split(',').includes(name));
try {
  await setBackend('gpu', gpuOptions);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(1);
}
console.log(`\n${describeBackend().summary}`);
const peer = cuda(workloads);
const rows = [['median ms', ...CONTENDERS.map(([title]) => title), 'wasm / gpu', 'PyTorch CUDA']];
for (const workload of workloads) {
  const run = prepare(workload);
  const times: number[] = [];
  for (const [, backend, options] of CONTENDERS) times.push(await timeOn(backend, options, run));
  rows.push([
    `${workload.name} ${workload.title}`,
    ...times.map((milliseconds) => milliseconds.toFixed(1)),
    (times[0] / times[1]).toFixed(3),
    peer?.get(workload.name)?.toFixed(1) ?? 'not here',
  ]);
}
console.log(table(rows));
console.log('\nTransfers of a training step, batch 2, 64²:');
console.log(
  table([
    ['', 'kernels', 'MB to the device', 'reads', 'MB read'],
    ['kept on the device', ...(await transfers(true))],
    ['read at once', ...(await transfers(false))],
  ]),
);
