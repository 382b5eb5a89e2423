// One epoch of CIFAR-10 at 64², images loaded, resized and normalized on the way, beside the same
// training step on a batch that lies ready.
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
import { median, time } from './statistics.ts';
import { trainingStep } from './training-step.ts';

const BATCH = 32;
const BARE_STEPS = 60;

setThreads(Number(process.env.THREADS ?? 2));
const options = {
  transform: new Compose([
    new Resize([64, 64]),
    new Rescale(1 / 255, 0),
    new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD }),
    new HWC2CHW(),
  ]),
  batchSize: BATCH,
  dropRemainder: true,
};
const found = await findCifar10();
const dataset =
  found === null
    ? Cifar10.fromBytes(syntheticCifar10({ count: 10_000, seed: 1 }), options)
    : new Cifar10({ ...options, path: found.path });
await dataset.load();
const source = found === null ? 'made-up images' : 'CIFAR-10';
console.log(`\nOne epoch of ${dataset.length} ${source} at 64², batch ${BATCH}:`);

const step = trainingStep(new Generator(0));
const batches = dataset[Symbol.asyncIterator]();
const first = (await batches.next()).value as Batch;
const bare = (): number[] => time(() => step(first.image, first.label), BARE_STEPS);

const before = bare();
const start = performance.now();
for await (const { image, label } of dataset) step(image, label);
const perStep = (performance.now() - start) / dataset.batchesPerEpoch;
const alone = median([...before, ...bare()]);
const rate = (milliseconds: number): string =>
  `${((1000 * BATCH) / milliseconds).toFixed(0)} images/s`;
console.log(`  with loading  ${perStep.toFixed(1)} ms a step  ${rate(perStep)}`);
console.log(
  `  step alone    ${alone.toFixed(1)} ms a step  ${rate(alone)} (median, before and after)`,
);
console.log(`  ratio         ${(perStep / alone).toFixed(3)}`);
