import { readFile } from 'node:fs/promises';
import { readImage } from '@firelight/data';
import { Model } from '@firelight/nn';
import { ValueError } from '@firelight/tensor';
import { printable, printablePath, systemReason } from '@firelight/tensor/extend';
import { imageNetInput } from './support/imagenet-input.ts';
import { imageNetNetworkOf } from './support/imagenet-network.ts';
import { openWeights } from './support/open-weights.ts';
import { rankedClasses } from './support/ranked-classes.ts';
import { readArguments } from './support/read-arguments.ts';
import { run, warn } from './support/run.ts';

const HELP = `Says which of ImageNet's thousand classes pictures show.

Usage: node --conditions=@firelight/source --import tsx examples/classify.ts --weights <file> <pictures>

Of each picture, a PNG or JPEG file, the most probable classes are printed. Which network the weights are
of, and how it wants its pictures, their names tell; they may be torchvision's, MindSpore's or Caffe's.

  --weights <file>   weights of any format that is read here: safetensors, PyTorch's .pth, MindSpore's .ckpt,
                     NumPy's .npz, Deep Compression's .net; or a folder of .npy files
  --classes <file>   a line for each class with its name (../shared/squeezenet/imagenet_classes.txt)
  --top <n>          classes to print (5)
  --help             print this text`;

const CLASSES = '../shared/squeezenet/imagenet_classes.txt';

const FLAGS = {
  weights: { type: 'string' },
  classes: { type: 'string', default: CLASSES },
  top: { type: 'string', default: '5' },
  help: { type: 'boolean', default: false },
} as const;

/** The names of the classes, or null where the default list is not there. */
async function readClasses(path: string): Promise<readonly string[] | null> {
  try {
    return (await readFile(path, 'utf8')).trimEnd().split('\n');
  } catch (error) {
    if (path === CLASSES) return null;
    throw new ValueError(`${printablePath(path)}: ${systemReason(error)}; pass a list of names`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments({ options: FLAGS, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const top = Number(values.top);
  if (!Number.isInteger(top) || top < 1) {
    throw new ValueError(`--top must be a whole number ≥ 1, got '${values.top}'`);
  }
  if (values.weights === undefined) {
    throw new ValueError('--weights is missing: pass a file with weights of ImageNet; see --help');
  }
  if (positionals.length === 0) {
    throw new ValueError('there are no pictures: pass PNG or JPEG files; see --help');
  }
  const checkpoint = await openWeights(values.weights);
  const { network, preprocessing, title, notes } = imageNetNetworkOf(checkpoint);
  for (const note of notes) warn(`${printablePath(values.weights)}: ${note}`);
  const classes = await readClasses(values.classes);
  if (classes === null) warn(`there is no ${CLASSES}, so classes have numbers; pass --classes`);
  console.log(title);
  const model = new Model({ network });
  for (const path of positionals) {
    const picture = await readImage(path);
    const [ranked] = rankedClasses(model.predict(imageNetInput(picture, preprocessing)));
    console.log(printablePath(path));
    for (const { share, label } of ranked.slice(0, top)) {
      const name = printable(classes?.[label] ?? `class ${label}`);
      console.log(`  ${name.padEnd(24)} ${(100 * share).toFixed(1).padStart(5)} %`);
    }
  }
}

await run(main);
