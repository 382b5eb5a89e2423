import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { HWC2CHW, type Image, Normalize, Rescale, Resize, readImage } from '@firelight/data';
import { loadParamIntoNet, type Module, SqueezeNet } from '@firelight/nn';
import { argmax, Generator, softmax, tensor, tidy, ValueError } from '@firelight/tensor';
import { printablePath } from '@firelight/tensor/extend';
import { centerSquare } from './support/center-square.ts';
import { drawGrid, type GridCell } from './support/draw-grid.ts';
import { gradCam, overlay } from './support/grad-cam.ts';
import { readImageNetClasses, readImageNetWeights } from './support/imagenet-weights.ts';
import { readArguments } from './support/read-arguments.ts';
import { run, warn } from './support/run.ts';
import { writeWhole } from './support/write-whole.ts';

const HELP = `Shows where SqueezeNet looks when it says what is in a picture (Grad-CAM).

Usage: node --conditions=@firelight/source --import tsx examples/grad-cam.ts [flags] [pictures]

Each picture (a PNG or JPEG file; by default those in ../shared/images) is drawn twice: as the network
sees it, and in grey under colours, red where it speaks most for the class, blue where it does not.
The weights are those in ../shared/squeezenet, which know the thousand classes of ImageNet.

  --class <n>      the number of the class to look for, from 0 (the most probable of each picture)
  --layer <name>   the layer whose places are shown (features)
  --out <file>     where the PNG goes (grad-cam.png)
  --help           print this text`;

const FLAGS = {
  class: { type: 'string' },
  layer: { type: 'string', default: 'features' },
  out: { type: 'string', default: 'grad-cam.png' },
  help: { type: 'boolean', default: false },
} as const;

const PICTURES = '../shared/images';
const SIDE = 224;
const CLASSES = 1000;
const NORMALIZE = new Normalize({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });

/** SqueezeNet 1.1 with the weights of ImageNet, or random ones after saying so loudly. */
async function openNetwork(): Promise<Module> {
  const generator = new Generator(0);
  const network = new SqueezeNet({ version: '1.1', numClasses: CLASSES, generator });
  const weights = await readImageNetWeights(network.namedParameters().map(([name]) => name));
  if (weights === null) {
    warn('NOT IMAGENET: its weights are not here, so the network says nothing about the pictures');
  } else loadParamIntoNet(network, weights);
  return network.eval();
}

async function findPictures(): Promise<string[]> {
  const names = existsSync(PICTURES) ? await readdir(PICTURES) : [];
  const found = names.filter((name) => name.endsWith('.jpg')).sort();
  if (found.length === 0) {
    throw new ValueError(`there are no pictures in ${PICTURES}; pass PNG or JPEG files`);
  }
  return found.map((name) => `${PICTURES}/${name}`);
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments({ options: FLAGS, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const label = values.class === undefined ? null : Number(values.class);
  const isLabel = label === null || (Number.isInteger(label) && label >= 0 && label < CLASSES);
  if (!isLabel || values.class === '') {
    throw new ValueError(`--class must be a whole number below ${CLASSES}, got '${values.class}'`);
  }
  const paths = positionals.length > 0 ? positionals : await findPictures();
  const network = await openNetwork();
  const classNames = await readImageNetClasses();
  const cells: GridCell[] = [];
  for (const path of paths) {
    const picture = new Resize([SIDE, SIDE]).apply(centerSquare(await readImage(path)));
    const found = look(network, values.layer, picture, label);
    const name = classNames?.[found.label] ?? `class ${found.label}`;
    const title = `${name} ${(100 * found.share).toFixed(1)} %`;
    console.log(`${printablePath(path)}: ${title}`);
    cells.push({ image: picture, title: basename(path) }, { image: found.image, title });
  }
  await writeWhole(values.out, await drawGrid(cells, { columns: 4 }));
  console.log(`the pictures are in ${values.out}`);
}

/** Where the network looks in a picture for a class, or for the most probable one. */
function look(network: Module, layer: string, picture: Image, wanted: number | null) {
  return tidy(() => {
    const seen = new HWC2CHW().apply(NORMALIZE.apply(new Rescale(1 / 255, 0).apply(picture)));
    const x = tensor(seen.data as Float32Array, { shape: [1, 3, SIDE, SIDE] });
    const labels = wanted === null ? undefined : tensor([wanted], { dtype: 'int32' });
    const { heat, logits } = gradCam(network, layer, x, labels);
    const [, height, width] = heat.shape;
    const places = { height, width, channels: 1, layout: 'HWC' } as const;
    const resized = new Resize([SIDE, SIDE]).apply({ ...places, data: heat.data as Float32Array });
    const label = wanted ?? argmax(logits, 1).item();
    return { image: overlay(picture, resized), label, share: softmax(logits, 1).data[label] };
  });
}

await run(main);
