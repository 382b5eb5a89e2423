// One epoch of CIFAR-10 at 64², images loaded, resized and normalized on the way, beside the same
// training step on a batch that lies ready. Both are means over all steps, garbage collection and all.
import {
  type Batch,
  CIFAR10_MEAN,
  CIFAR10_STD,
  Cifar10,
  Compose,
  findCifar10,
  HWC2CHW,
  Normalize,
  Rescale,
  Resize,
  syntheticCifar10,
} from '@firelight/data';
import { Generator, setThreads } from '@firelight/tensor';
import { trainingStep } from './training-step.ts';
import { SQUEEZENET, THREADS } from './workloads.ts';

const BATCH = 32;
const WARMUP_STEPS = 5;
/** Steps of the epoch, and steps on the batch that lies ready, in turn. */
const STRETCH = 100;
const STRETCH_ALONE = 25;

setThreads(THREADS);
const options = {
  transform: new Compose([
    new Resize([64, 64]),
    new Rescale(1 / 255, 0),
    new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD }),
    new HWC2CHW(),
  ]),
  batchSize: BATCH,
  dropRemainder: true,
  workers: Number(process.env.WORKERS ?? 0),
};
const found = await findCifar10();
const dataset =
  found === null
    ? Cifar10.fromBytes(syntheticCifar10({ count: 10_000, seed: 1 }), options)
    : new Cifar10({ ...options, path: found.path });
await dataset.load();
const source = found === null ? 'made-up images' : 'CIFAR-10';
const { workers } = options;
console.log(
  `\nOne epoch of ${dataset.length} ${source} at 64², batch ${BATCH}, ${workers} loader workers:`,
);

const step = trainingStep(SQUEEZENET, new Generator(0));
const batches = dataset[Symbol.asyncIterator]();
const first = (await batches.next()).value as Batch;
const runAlone = (steps: number): number => {
  const start = performance.now();
  for (let i = 0; i < steps; i++) step(first.image, first.label);
  return performance.now() - start;
};

// The two take turns, since the machine is faster at one time and slower at another.
runAlone(WARMUP_STEPS);
let epoch = 0;
let alone = 0;
let count = 0;
let start = performance.now();
for await (const { image, label } of dataset) {
  step(image, label);
  count++;
  if (count % STRETCH !== 0) continue;
  epoch += performance.now() - start;
  alone += runAlone(STRETCH_ALONE);
  start = performance.now();
}
epoch += performance.now() - start;

const perStep = epoch / count;
const perStepAlone = alone / (Math.floor(count / STRETCH) * STRETCH_ALONE);
const rate = (milliseconds: number): string =>
  `${milliseconds.toFixed(1)} ms a step  ${((1000 * BATCH) / milliseconds).toFixed(0)} images/s`;
console.log(`  with loading  ${rate(perStep)}`);
console.log(
  `  step alone    ${rate(perStepAlone)} (${STRETCH_ALONE} after each ${STRETCH} of these)`,
);
console.log(`  ratio         ${(perStep / perStepAlone).toFixed(3)}`);
