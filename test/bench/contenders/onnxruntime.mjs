// Inference in onnxruntime, on WebAssembly or native. It runs in the folder where the package was
// installed. Arguments: onnxruntime-web or onnxruntime-node, JSON list of workloads.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { squeezenet } from './onnx-model.mjs';

const [name, workloads] = process.argv.slice(2);
const threads = Number(process.env.THREADS ?? 2);
const require = createRequire(join(process.cwd(), 'package.json'));
const ort = require(name);
const isWeb = name === 'onnxruntime-web';
if (isWeb) ort.env.wasm.numThreads = threads;
const options = isWeb
  ? { executionProviders: ['wasm'] }
  : { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 };

for (const { batch, size, name, warmups, repetitions } of JSON.parse(workloads)) {
  const { model, scores } = squeezenet(batch, size);
  const session = await ort.InferenceSession.create(model, options);
  const images = Float32Array.from({ length: batch * 3 * size * size }, () => Math.random() - 0.5);
  const input = new ort.Tensor('float32', images, [batch, 3, size, size]);
  const run = async () => (await session.run({ images: input }))[scores].data[0];
  for (let i = 0; i < warmups; i++) await run();
  const milliseconds = [];
  for (let i = 0; i < repetitions; i++) {
    const start = performance.now();
    await run();
    milliseconds.push(performance.now() - start);
  }
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ workload: name, milliseconds, peakBytes }));
}
process.exit(0); // Its threads would keep the process alive.
