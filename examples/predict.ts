import { basename } from 'node:path';
import { readImage } from '@firelight/data';
import { Model } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { Generator, stack, ValueError } from '@firelight/tensor';
import { printable, printablePath } from '@firelight/tensor/extend';
import { cifarInput, imageOf } from './support/cifar-input.ts';
import { drawGrid, type GridCell } from './support/draw-grid.ts';
import { loadCifar } from './support/load-cifar.ts';
import { cifarNetworkOf } from './support/open-network.ts';
import { parseTrainOptions } from './support/parse-train-options.ts';
import { rankedClasses } from './support/ranked-classes.ts';
import { readArguments } from './support/read-arguments.ts';
import { run, warn } from './support/run.ts';
import { writeWhole } from './support/write-whole.ts';

const HELP = `Shows what a trained network takes images for.

Usage: node --conditions=@firelight/source --import tsx examples/predict.ts --checkpoint <file> [flags] [pictures]

Without pictures (PNG or JPEG files), a grid of test images is drawn: blue and ✓ where the network is
right, red, framed and ✗ where it is wrong. Of pictures, the five most probable classes are printed.

  --checkpoint <file>  a checkpoint of npm run train, such as runs/…/checkpoints/SqueezeNet-best.safetensors,
                       or weights of another program for CIFAR-10, such as PyTorch's .pth, of a known network
  --count <n>          test images in the grid (32)
  --out <file>         where the PNG goes (predictions.png; with pictures: none)
  --data <dir>         folder with the CIFAR-10 .bin files
  --synthetic          use the built-in made-up images
  --help               print this text`;

const FLAGS = {
  checkpoint: { type: 'string' },
  count: { type: 'string', default: '32' },
  out: { type: 'string' },
  data: { type: 'string' },
  synthetic: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const TOP = 5;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

async function main(): Promise<void> {
  const { values, positionals } = readArguments({ options: FLAGS, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1) {
    throw new ValueError(`--count must be a whole number ≥ 1, got '${values.count}'`);
  }
  if (values.checkpoint === undefined) {
    throw new ValueError('--checkpoint is missing: pass a checkpoint of npm run train; see --help');
  }
  const { checkpoint } = values;
  const { network, imageSize, classNames, notes } = cifarNetworkOf(
    await openCheckpoint(checkpoint),
  );
  for (const note of notes) warn(`${printablePath(checkpoint)}: ${note}`);
  const model = new Model({ network });
  const cells =
    positionals.length > 0
      ? await classify(model, positionals, { imageSize, classNames })
      : await testImages(model, { ...values, count, imageSize });
  const out = values.out ?? (positionals.length > 0 ? undefined : 'predictions.png');
  if (out === undefined) return;
  await writeWhole(out, await drawGrid(cells));
  console.log(`the pictures are in ${out}`);
}

/** Prints the five most probable classes of each file. */
async function classify(
  model: Model,
  paths: readonly string[],
  { imageSize, classNames }: { imageSize: number; classNames: readonly string[] },
): Promise<GridCell[]> {
  const pictures = await Promise.all(paths.map((path) => readImage(path)));
  const batch = stack(pictures.map((picture) => cifarInput(picture, imageSize)));
  const ranked = rankedClasses(model.predict(batch));
  return paths.map((path, i) => {
    const order = ranked[i];
    console.log(printablePath(path));
    for (const { label, share } of order.slice(0, TOP)) {
      console.log(`  ${printable(classNames[label]).padEnd(12)} ${percent(share).padStart(7)}`);
    }
    const [{ label, share }] = order;
    return {
      image: imageOf(batch, i),
      title: `${basename(path)}: ${classNames[label]} ${percent(share)}`,
    };
  });
}

/** The first test images, judged. */
async function testImages(
  model: Model,
  {
    count,
    imageSize,
    data: folder,
    synthetic,
  }: { count: number; imageSize: number; data?: string | undefined; synthetic: boolean },
): Promise<GridCell[]> {
  const sizes = { 'train-size': 1, 'test-size': count, 'image-size': imageSize };
  const options = { ...parseTrainOptions([]), ...sizes, synthetic };
  const data = await loadCifar(
    { ...options, ...(folder === undefined ? {} : { data: folder }), 'batch-size': count },
    new Generator(0),
    warn,
  );
  for await (const { image, label } of data.test) {
    const ranked = rankedClasses(model.predict(image));
    const cells = Array.from(label.data, (truth, i): GridCell => {
      const [{ label: predicted, share }] = ranked[i];
      return {
        image: imageOf(image, i),
        title: `${data.classNames[predicted]} ${percent(share)}`,
        verdict: predicted === truth ? 'right' : 'wrong',
      };
    });
    const right = cells.filter(({ verdict }) => verdict === 'right').length;
    console.log(`${right} of ${cells.length} test images of ${data.source} are right`);
    return cells;
  }
  return [];
}

await run(main);
