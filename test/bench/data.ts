// Reading CIFAR-10 and making network inputs of it, on one thread, beside OpenCV and numpy where
// Debian's python3-opencv is installed; then the loader with its worker threads.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  CIFAR10_MEAN,
  CIFAR10_STD,
  Cifar10,
  Compose,
  findCifar10,
  HWC2CHW,
  Normalize,
  Rescale,
  Resize,
} from '@firelight/data';
import { Generator } from '@firelight/tensor';
import { median, table, time } from './statistics.ts';

const IMAGES = 500;
const LOADED = 4000;
const SIDES = [64, 224];

const inputOf = (side: number): Compose =>
  new Compose([
    new Resize([side, side]),
    new Rescale(1 / 255, 0),
    new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD }),
    new HWC2CHW(),
  ]);

async function readTimes(path: string): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    await new Cifar10({ path, split: 'all' }).load();
    times.push(performance.now() - start);
  }
  return times;
}

/** Images a second from the data set's records to `[3, side, side]` floats. */
function transformRate(dataset: Cifar10, side: number): number {
  const transform = inputOf(side);
  const generator = new Generator(0);
  const target = new Float32Array(3 * side * side);
  const run = (): void => {
    for (let i = 0; i < IMAGES; i++) transform.apply(dataset.get(i).image, generator, target);
  };
  return (1000 * IMAGES) / median(time(run, 7));
}

async function loadRate(path: string, side: number, workers: number): Promise<number> {
  const options = { path, transform: inputOf(side), batchSize: 32, limit: LOADED, workers };
  const dataset = await new Cifar10(options).load();
  let images = 0;
  let start = 0;
  for await (const { image } of dataset) {
    // From the first batch on, so that starting the threads does not count.
    if (start === 0) start = performance.now();
    else images += image.shape[0];
  }
  return (1000 * images) / (performance.now() - start);
}

function openCv(path: string): Readonly<Record<string, number>> | null {
  const script = fileURLToPath(new URL('./contenders/opencv.py', import.meta.url));
  try {
    const output = execFileSync('/usr/bin/python3', [script, path, ...SIDES.map(String)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output);
  } catch {
    return null;
  }
}

const found = await findCifar10();
if (found === null) {
  console.log('\nData: skipped, since there is no CIFAR-10; set FIRELIGHT_CIFAR10 to its folder');
} else {
  const { path } = found;
  const dataset = await new Cifar10({ path }).load();
  const peer = openCv(path);
  const cell = (key: string): string => peer?.[key]?.toFixed(0) ?? 'not installed';
  console.log('\nCIFAR-10, one thread:');
  const rows = [['', 'Firelight', 'numpy and OpenCV']];
  rows.push(['read all 60,000, ms', median(await readTimes(path)).toFixed(0), cell('read')]);
  for (const side of SIDES) {
    const rate = transformRate(dataset, side).toFixed(0);
    rows.push([`32² → ${side}², normalized, [C, H, W], images/s`, rate, cell(String(side))]);
  }
  console.log(table(rows));
  const loads = [['loader, images/s', '0 workers', '1', '2']];
  for (const side of SIDES) {
    const rates: string[] = [];
    for (const workers of [0, 1, 2]) rates.push((await loadRate(path, side, workers)).toFixed(0));
    loads.push([`  at ${side}²`, ...rates]);
  }
  console.log(table(loads));
}
