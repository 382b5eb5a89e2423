import {
  count,
  type Flags,
  flag,
  number,
  oneOf,
  problemOf,
  share,
  text,
  toggle,
  type ValuesOf,
  written,
} from './flags.ts';

const CHANGEABLE = { changeable: true };
const OF_GPU = { changeable: true, goesWith: { flag: 'backend', values: ['gpu', 'auto'] } };

/** What MindSpore's tutorial "SqueezeNet on CIFAR-10" has in the place of a default. */
const tutorial = <const Value>(value: Value) => ({ recipes: { tutorial: value } });

/** Each flag: its kind, default, help and what else holds of it. All else follows from this table. */
export const TRAIN_FLAGS = {
  recipe: flag(
    oneOf('quick', 'tutorial'),
    'quick',
    "defaults of the other flags; tutorial: MindSpore's, which takes many hours",
  ),
  data: flag(text, undefined, 'folder with the CIFAR-10 files', CHANGEABLE),
  synthetic: flag(toggle, false, 'use the built-in made-up images'),
  download: flag(toggle, true, 'fetch CIFAR-10 into ./data if not found', CHANGEABLE),
  workers: flag(count, 0, 'threads that load training images ahead', CHANGEABLE),
  mirror: flag(text, undefined, 'address to fetch the binary archive from', CHANGEABLE),
  out: flag(text, undefined, 'folder of the run; runs/<recipe>-<time>', CHANGEABLE),
  resume: flag(toggle, false, 'go on with the run in --out, or the latest', CHANGEABLE),
  pretrained: flag(text, undefined, 'begin with the weights in this file, of any program', {
    contradicts: { flag: 'resume', because: 'begins a new run' },
  }),
  freeze: flag(text, undefined, "parameters to leave as they are: 'features.**'"),
  'eval-only': flag(text, undefined, 'test this checkpoint and stop', {
    contradicts: { flag: 'resume', because: 'tests and does not train' },
  }),
  'checkpoint-every': flag(count, 200, 'steps from checkpoint to checkpoint', {
    ...CHANGEABLE,
    ...tutorial(1562),
  }),
  keep: flag(count, 3, 'latest checkpoints that are kept', { ...CHANGEABLE, ...tutorial(10) }),
  'loss-every': flag(count, 0, "steps between MindSpore's lines of the loss", {
    ...CHANGEABLE,
    ...tutorial(1562),
  }),
  tensorboard: flag(toggle, false, 'write event files for TensorBoard', CHANGEABLE),
  'train-size': flag(count, 50000, 'images trained on, of 50000'),
  'test-size': flag(count, 10000, 'images tested on, of 10000'),
  'image-size': flag(count, 32, 'height and width images are resized to', tutorial(224)),
  augment: flag(toggle, true, 'random crops and flips of training images', tutorial(false)),
  epochs: flag(count, 4, 'passes over the training images', tutorial(30)),
  'batch-size': flag(count, 64, 'images in one step', tutorial(32)),
  'lr-init': flag(number, 0, 'learning rate where warm-up starts'),
  'lr-max': flag(number, 0.1, 'learning rate after warm-up', tutorial(0.01)),
  'lr-end': flag(number, 0, 'learning rate where linear decay leads'),
  'lr-decay-mode': flag(
    oneOf('steps', 'poly', 'linear', 'cosine'),
    'linear',
    'decay of the learning rate',
  ),
  'warmup-epochs': flag(number, 0.4, 'epochs of linear warm-up', tutorial(5)),
  'pretrain-epochs': flag(count, 0, 'epochs of the schedule to leave out'),
  momentum: flag(number, 0.9, 'momentum of the optimizer'),
  nesterov: flag(toggle, true, 'Nesterov momentum', tutorial(false)),
  'weight-decay': flag(number, 5e-4, 'factor of the L2 term', tutorial(1e-4)),
  'clip-norm': flag(number, undefined, 'bound of the norm of the gradients'),
  'label-smoothing': flag(share, 0, 'share of the label spread'),
  seed: flag(count, 0, 'seed of weights, order and dropout'),
  backend: flag(
    text,
    undefined,
    'wasm, gpu, reference, or auto: gpu if there is a hardware one; by default wasm',
    CHANGEABLE,
  ),
  'gpu-mode': flag(
    oneOf('webgl2', 'headlessgl', 'webgpu', 'webasm', 'cpu'),
    undefined,
    'way of gpu.js; by default the first of headlessgl and webgpu that is there',
    OF_GPU,
  ),
  'webgpu-module': flag(
    text,
    undefined,
    "npm's webgpu elsewhere than installed, as an address: file:///…/webgpu/index.js",
    OF_GPU,
  ),
  threads: flag(count, undefined, 'threads of wasm; by default all processors', CHANGEABLE),
  version: flag(oneOf('1.0', '1.1'), '1.1', 'version of SqueezeNet', tutorial('1.0')),
  bypass: flag(
    oneOf('none', 'simple', 'complex'),
    'simple',
    'sums around the Fire modules',
    tutorial('none'),
  ),
  stem: flag(
    oneOf('imagenet', 'cifar'),
    'cifar',
    'first convolution: stride 2, or 3×3 with stride 1',
    tutorial('imagenet'),
  ),
  pooling: flag(
    oneOf('floor', 'ceil'),
    'floor',
    'how max-pools round: down as MindSpore, up as Caffe and torchvision',
  ),
  'batch-norm': flag(toggle, true, 'batch norm after each convolution', tutorial(false)),
  'head-relu': flag(toggle, false, 'ReLU after the last convolution', tutorial(true)),
  dropout: flag(share, 0, 'dropout before the last convolution', tutorial(0.5)),
  help: flag(toggle, false, 'print this text'),
} as const;

/** All flags with their values. */
export type TrainOptions = ValuesOf<typeof TRAIN_FLAGS>;
type FlagName = keyof TrainOptions;

const flags: Flags = TRAIN_FLAGS;
const names = Object.keys(TRAIN_FLAGS) as FlagName[];

/** What is to be trained otherwise by some options than by others, as flags; null if nothing is. */
export function differenceOf(
  some: TrainOptions,
  others: TrainOptions,
): [some: string, others: string] | null {
  const differing = names.filter((name) => !flags[name].changeable && some[name] !== others[name]);
  if (differing.length === 0) return null;
  const flagsOf = (options: TrainOptions): string =>
    differing.map((name) => written(name, options[name])).join(' ');
  return [flagsOf(some), flagsOf(others)];
}

/** Options that were read from a file, if they have the types of the flags. */
export function checkedOptions(
  found: Readonly<Record<string, unknown>>,
): { options: TrainOptions; unknown: string[] } | { problem: string } {
  for (const name of names) {
    const rule = problemOf(flags[name], Object.hasOwn(found, name) ? found[name] : undefined);
    if (rule !== null) return { problem: `the option '${name}' must be ${rule}` };
  }
  const unknown = Object.keys(found).filter((name) => !Object.hasOwn(TRAIN_FLAGS, name));
  return { options: found as TrainOptions, unknown }; // As all flags were checked.
}
