// Inference in TensorFlow.js on its wasm backend, which cannot train convolutions. It runs in the
// folder where the packages were installed. Argument: JSON list of workloads.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

const folder = join(process.cwd(), 'node_modules/@tensorflow/tfjs-backend-wasm/dist/');
wasm.setWasmPaths(folder);
wasm.setThreadsCount(Number(process.env.THREADS ?? 2));
await tf.setBackend('wasm');
await tf.ready();

const convolution = (x, filters, kernelSize, options = {}) =>
  tf.layers.conv2d({ filters, kernelSize, activation: 'relu', ...options }).apply(x);
const pool = (x) => tf.layers.maxPooling2d({ poolSize: 3, strides: 2 }).apply(x);

function squeezenet(size) {
  const input = tf.input({ shape: [size, size, 3] });
  let x = pool(convolution(input, 96, 7, { strides: 2 }));
  for (const [i, expand] of [64, 64, 128, 128, 192, 192, 256, 256].entries()) {
    const squeezed = convolution(x, expand / 4, 1);
    const branches = [
      convolution(squeezed, expand, 1),
      convolution(squeezed, expand, 3, { padding: 'same' }),
    ];
    x = tf.layers.concatenate().apply(branches);
    if (i === 2 || i === 6) x = pool(x);
  }
  const scores = convolution(x, 10, 1);
  return tf.model({
    inputs: input,
    outputs: tf.layers.globalAveragePooling2d({}).apply(scores),
  });
}

for (const workload of JSON.parse(process.argv[2])) {
  const network = squeezenet(workload.size);
  const images = tf.randomNormal([workload.batch, workload.size, workload.size, 3]);
  const run = () =>
    tf.tidy(() => {
      network.predict(images, { batchSize: workload.batch }).dataSync();
    });
  for (let i = 0; i < workload.warmups; i++) run();
  const milliseconds = Array.from({ length: workload.repetitions }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ workload: workload.name, milliseconds, peakBytes }));
}
process.exit(0); // Its threads would keep the process alive.
