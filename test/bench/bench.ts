// npm run bench [-- --peers] [--data] [--epoch] [--gpu] [--packing] [--size] [--bundlers] [--rounds N]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { heading } from './heading.ts';
import { type Contender, measure, type Results } from './measure.ts';
import { firelight, peers } from './peers.ts';
import { compareProducts } from './products.ts';
import { median, table } from './statistics.ts';
import { WORKLOADS } from './workloads.ts';

const HELP = `Times Firelight, two threads unless THREADS says otherwise.

Usage: npm run bench -- [flags]

  --peers     also PyTorch (Debian's python3-torch), TensorFlow.js, onnxruntime-web and
              onnxruntime-node (installed outside of the project), one process after the other in
              every round; and matrix products in OpenBLAS (Debian's python3-numpy)
  --data      only reading and transforming CIFAR-10, beside numpy and OpenCV if they are there
  --epoch     also one epoch of CIFAR-10 at 64² with data loading (2 to 4 minutes)
  --gpu       only the gpu backend beside wasm, and beside PyTorch on CUDA where it is there
  --gpu-mode MODE         way of gpu.js: headlessgl (under xvfb-run), webgpu, webasm or cpu
  --webgpu-module URL     npm's webgpu, for the mode webgpu: file:///…/webgpu/index.js
  --workloads T1,T2,…,T5  what --gpu times (T2,T3)
  --packing   only list which functions of the wasm backend V8 packs into 256-bit vectors, and why
              it leaves others; nothing is timed (Node 24 or newer, a processor with AVX2)
  --size      only the bytes of bundles for browsers, and how long new processes take until their
              first result
  --bundlers  only whether a page trains as each bundler makes it of the packed packages, on how many
              threads, and its bytes (Chromium; 2 minutes)
  --rounds N  processes of each contender (3)
  --help      print this text

T1 to T4 are SqueezeNet 1.0 with 10 classes; T5 is a step of npm run train as it is by default, with
all that Model.train does but without loading images; T6 and T7 are ResNet-20 and MobileNetV2.
TensorFlow.js and onnxruntime only infer.`;

const { values } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    data: { type: 'boolean', default: false },
    epoch: { type: 'boolean', default: false },
    gpu: { type: 'boolean', default: false },
    'gpu-mode': { type: 'string', default: '' },
    'webgpu-module': { type: 'string', default: '' },
    workloads: { type: 'string', default: 'T2,T3' },
    packing: { type: 'boolean', default: false },
    size: { type: 'boolean', default: false },
    bundlers: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

/** T1 and T5 alone, so that the peak of memory is their own; the others together. */
const GROUPS = [['T1'], ['T2', 'T3', 'T4'], ['T5'], ['T6', 'T7']].map((names) =>
  WORKLOADS.filter(({ name }) => names.includes(name)),
);

function print(contenders: readonly Contender[], results: Results): void {
  const rows = [['', 'median ms', 'min ms', 'Firelight / it', 'peak MB']];
  for (const { name, title } of WORKLOADS) {
    const own = results.of(name, firelight.name);
    rows.push([`${name} ${title}`, '', '', '', '']);
    for (const contender of contenders) {
      const result = results.of(name, contender.name);
      if (result === undefined || own === undefined) continue;
      const ratio = median(own.milliseconds) / median(result.milliseconds);
      rows.push([
        `  ${contender.name}`,
        median(result.milliseconds).toFixed(1),
        Math.min(...result.milliseconds).toFixed(1),
        contender === firelight ? '' : ratio.toFixed(2),
        name === 'T1' || name === 'T5' ? (result.peakBytes / 1e6).toFixed(0) : '',
      ]);
    }
  }
  console.log(table(rows));
}

function runScript(name: string, args: readonly string[] = []): void {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const flags = ['--conditions=@firelight/source', '--import', 'tsx', file, ...args];
  execFileSync(process.execPath, flags, { stdio: 'inherit' });
}

/** Runs a script that says itself why it fails. */
function tryScript(name: string, args: readonly string[] = []): void {
  try {
    runScript(name, args);
  } catch {
    process.exitCode = 1;
  }
}

const rounds = Number(values.rounds);
if (values.help) console.log(HELP);
else if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`error: --rounds must be a whole number ≥ 1, got '${values.rounds}'`);
  process.exitCode = 1;
} else {
  console.log(heading());
  if (values.data) runScript('./data.ts');
  else if (values.packing) tryScript('./packing.ts');
  else if (values.size) runScript('./size.ts', [String(rounds)]);
  else if (values.bundlers) tryScript('./bundlers.ts');
  else if (values.gpu) {
    tryScript('./gpu.ts', [values['gpu-mode'], values['webgpu-module'], values.workloads]);
  } else {
    // Before minutes of timing, as they may have to be installed, or build other networks.
    const contenders = values.peers ? [firelight, ...peers()] : [firelight];
    runScript('./kernels.ts');
    console.log(`\n${rounds} rounds, one process after the other:`);
    print(contenders, measure(contenders, GROUPS, rounds));
    if (values.peers) compareProducts(rounds);
    runScript('./data.ts');
    if (values.epoch) runScript('./epoch.ts');
  }
}
