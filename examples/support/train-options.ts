import { parseArgs } from 'node:util';
import { ValueError } from '@firelight/tensor';

/** One flag of the command line: what it takes, its default, and its line in `--help`. */
interface Flag {
  readonly value: 'count' | 'number' | 'text' | 'switch';
  readonly default: string | boolean | undefined;
  readonly help: string;
  /** The words that it accepts. */
  readonly choices?: readonly string[];
}

const FLAGS = {
  recipe: {
    value: 'text',
    default: 'quick',
    choices: ['quick', 'tutorial'],
    help: "defaults of the other flags; tutorial: MindSpore's, which takes many hours",
  },
  data: { value: 'text', default: undefined, help: 'folder with the CIFAR-10 files' },
  synthetic: { value: 'switch', default: false, help: 'use the built-in made-up images' },
  download: { value: 'switch', default: true, help: 'fetch CIFAR-10 into ./data if not found' },
  workers: { value: 'count', default: '0', help: 'threads that load training images ahead' },
  mirror: { value: 'text', default: undefined, help: 'address to fetch the binary archive from' },
  out: { value: 'text', default: undefined, help: 'folder of the run; runs/<recipe>-<time>' },
  resume: { value: 'switch', default: false, help: 'go on with the run in --out, or the latest' },
  'eval-only': { value: 'text', default: undefined, help: 'test this checkpoint and stop' },
  'checkpoint-every': {
    value: 'count',
    default: '200',
    help: 'steps from checkpoint to checkpoint',
  },
  keep: { value: 'count', default: '3', help: 'latest checkpoints that are kept' },
  'loss-every': {
    value: 'count',
    default: '0',
    help: "steps between MindSpore's lines of the loss",
  },
  tensorboard: { value: 'switch', default: false, help: 'write event files for TensorBoard' },
  'train-size': { value: 'count', default: '50000', help: 'images trained on, of 50000' },
  'test-size': { value: 'count', default: '10000', help: 'images tested on, of 10000' },
  'image-size': { value: 'count', default: '32', help: 'height and width images are resized to' },
  augment: { value: 'switch', default: true, help: 'random crops and flips of training images' },
  epochs: { value: 'count', default: '4', help: 'passes over the training images' },
  'batch-size': { value: 'count', default: '64', help: 'images in one step' },
  'lr-init': { value: 'number', default: '0', help: 'learning rate where warm-up starts' },
  'lr-max': { value: 'number', default: '0.1', help: 'learning rate after warm-up' },
  'lr-end': { value: 'number', default: '0', help: 'learning rate where linear decay leads' },
  'lr-decay-mode': {
    value: 'text',
    default: 'linear',
    choices: ['steps', 'poly', 'linear', 'cosine'],
    help: 'decay of the learning rate',
  },
  'warmup-epochs': { value: 'number', default: '0.4', help: 'epochs of linear warm-up' },
  'pretrain-epochs': { value: 'count', default: '0', help: 'epochs of the schedule to leave out' },
  momentum: { value: 'number', default: '0.9', help: 'momentum of the optimizer' },
  nesterov: { value: 'switch', default: true, help: 'Nesterov momentum' },
  'weight-decay': { value: 'number', default: '5e-4', help: 'factor of the L2 term' },
  'clip-norm': { value: 'number', default: undefined, help: 'bound of the norm of the gradients' },
  'label-smoothing': {
    value: 'number',
    default: '0',
    help: 'share of the label spread, in [0, 1)',
  },
  seed: { value: 'count', default: '0', help: 'seed of weights, order and dropout' },
  backend: {
    value: 'text',
    default: undefined,
    help: 'wasm, gpu, reference, or auto: gpu if there is a hardware one; by default wasm',
  },
  'gpu-mode': {
    value: 'text',
    default: undefined,
    choices: ['webgl2', 'headlessgl', 'webgpu', 'webasm', 'cpu'],
    help: 'way of gpu.js; by default the first of headlessgl and webgpu that is there',
  },
  'webgpu-module': {
    value: 'text',
    default: undefined,
    help: "npm's webgpu elsewhere than installed, as an address: file:///…/webgpu/index.js",
  },
  threads: {
    value: 'count',
    default: undefined,
    help: 'threads of wasm; by default all processors',
  },
  version: {
    value: 'text',
    default: '1.1',
    choices: ['1.0', '1.1'],
    help: 'version of SqueezeNet',
  },
  bypass: {
    value: 'text',
    default: 'simple',
    choices: ['none', 'simple', 'complex'],
    help: 'sums around the Fire modules',
  },
  stem: {
    value: 'text',
    default: 'cifar',
    choices: ['imagenet', 'cifar'],
    help: 'first convolution: stride 2, or 3×3 with stride 1',
  },
  pooling: {
    value: 'text',
    default: 'floor',
    choices: ['floor', 'ceil'],
    help: 'how max-pools round: down as MindSpore, up as Caffe and torchvision',
  },
  'batch-norm': { value: 'switch', default: true, help: 'batch norm after each convolution' },
  'head-relu': { value: 'switch', default: false, help: 'ReLU after the last convolution' },
  dropout: {
    value: 'number',
    default: '0',
    help: 'dropout before the last convolution, in [0, 1)',
  },
  help: { value: 'switch', default: false, help: 'print this text' },
} as const satisfies Record<string, Flag>;

/**
 * What a recipe sets otherwise than the defaults above, which are those of `quick`.
 *
 * @see MindSpore's tutorial "SqueezeNet on CIFAR-10" for `tutorial`
 */
const RECIPES: Readonly<Record<string, Readonly<Partial<Record<FlagName, string | boolean>>>>> = {
  quick: {},
  tutorial: {
    'image-size': '224',
    augment: false,
    epochs: '30',
    'batch-size': '32',
    'lr-max': '0.01',
    'warmup-epochs': '5',
    nesterov: false,
    'weight-decay': '1e-4',
    version: '1.0',
    bypass: 'none',
    stem: 'imagenet',
    'batch-norm': false,
    'head-relu': true,
    dropout: '0.5',
    'checkpoint-every': '1562',
    keep: '10',
    'loss-every': '1562',
  },
};

type FlagName = keyof typeof FLAGS;
type ValueOf<F extends Flag> = F extends { value: 'switch' }
  ? boolean
  : F extends { value: 'count' | 'number'; default: string }
    ? number
    : F extends { value: 'count' | 'number' }
      ? number | undefined
      : F extends { choices: readonly (infer Choice)[] }
        ? Choice
        : F extends { default: undefined }
          ? string | undefined
          : string;

/** Flags that a run that goes on may take anew: they change where and how, not what is trained. */
const CHANGEABLE: ReadonlySet<FlagName> = new Set<FlagName>([
  ...(['data', 'download', 'mirror', 'workers'] as const),
  ...(['backend', 'gpu-mode', 'webgpu-module', 'threads'] as const),
  ...(['out', 'resume', 'checkpoint-every', 'keep', 'loss-every', 'tensorboard'] as const),
]);

/** All flags with their values. */
export type TrainOptions = { readonly [Name in FlagName]: ValueOf<(typeof FLAGS)[Name]> };

const flags: readonly (readonly [string, Flag])[] = Object.entries(FLAGS);

/** The text of `--help`. */
export function helpText(): string {
  const rows = flags.map(([name, { value, default: preset, help, choices }]) => {
    const isSwitch = value === 'switch';
    const argument = isSwitch ? '' : ` <${choices?.join('|') ?? value}>`;
    const flag = isSwitch && preset === true ? `--[no-]${name}` : `--${name}${argument}`;
    const shown = isSwitch || preset === undefined ? '' : ` (${preset})`;
    return { flag, help: `${help}${shown}` };
  });
  const width = rows.reduce((widest, { flag }) => Math.max(widest, flag.length), 0);
  return [
    'Trains SqueezeNet on CIFAR-10 and tests it.',
    '',
    'Usage: npm run train -- [flags]',
    '',
    ...rows.map(({ flag, help }) => `  ${flag.padEnd(width)}  ${help}`),
    '',
    'Images are looked for in --data, $FIRELIGHT_CIFAR10, ./data and ../shared/cifar-10; then',
    'CIFAR-10 is downloaded; if that fails too, built-in made-up images are used.',
    '',
    'A training outlives its terminal: when standard output is closed or full, or the terminal hangs',
    'up, it goes on without printing, and its folder holds all that it would have printed. Ctrl-C, or',
    'kill and its process number, makes it save and end; --resume names the process that still runs.',
    'With --resume, only these flags may differ from those of the run:',
    `  ${[...CHANGEABLE].filter((name) => name !== 'resume').join(', ')}.`,
  ].join('\n');
}

/** What a value must be, or null if it is that. */
function ruleOf({ value, choices }: Flag, found: unknown): string | null {
  if (choices !== undefined) {
    return choices.some((choice) => choice === found) ? null : `one of ${choices.join(', ')}`;
  }
  if (value === 'text') return typeof found === 'string' ? null : 'a text';
  if (value === 'switch') return typeof found === 'boolean' ? null : 'true or false';
  const isNumber = typeof found === 'number' && Number.isFinite(found) && found >= 0;
  if (value === 'number') return isNumber ? null : 'a number ≥ 0';
  return isNumber && Number.isSafeInteger(found) ? null : 'a whole number ≥ 0';
}

function parseValue(name: string, raw: string | boolean | undefined, flag: Flag) {
  if (typeof raw !== 'string') return raw;
  const isNumber = flag.value === 'count' || flag.value === 'number';
  const value = isNumber ? (raw.trim() === '' ? Number.NaN : Number(raw)) : raw;
  const rule = ruleOf(flag, value);
  if (rule !== null) throw new ValueError(`--${name} must be ${rule}, got '${raw}'`);
  return value;
}

/** The flags that are given, as texts and switches. */
function parseFlags(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    flags.map(([name, { value }]) => [
      name,
      { type: value === 'switch' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    // parseArgs explains itself in its first sentence; the rest is about its own options.
    const [sentence] = String((error as Error).message).split('. ');
    throw new ValueError(`${sentence}; see npm run train -- --help`);
  }
}

/**
 * Reads the command line.
 *
 * @throws ValueError with one sentence for an unknown flag or a value that does not fit
 */
export function parseTrainOptions(args: readonly string[]): TrainOptions {
  const values = parseFlags(args);
  const recipe =
    RECIPES[String(parseValue('recipe', values.recipe ?? FLAGS.recipe.default, FLAGS.recipe))];
  const entries = flags.map(([name, flag]) => {
    const raw = values[name] ?? recipe[name as FlagName] ?? flag.default;
    return [name, parseValue(name, raw, flag)];
  });
  // `parseValue` gives each flag the type that its `value` and `choices` declare.
  return Object.fromEntries(entries) as TrainOptions;
}

/**
 * The options of a run that goes on: its own, with those flags of the command line that may differ.
 *
 * @throws ValueError for a flag that would change what is trained
 */
export function resumedOptions(own: TrainOptions, args: readonly string[]): TrainOptions {
  const given = parseTrainOptions(args);
  const names = Object.keys(parseFlags(args)) as FlagName[];
  const difference = differenceOf(given, own, names);
  if (difference !== null) {
    const [asked, begun] = difference;
    throw new ValueError(
      `${asked} cannot be set by --resume: the run was begun with ${begun}; leave it out, or start ` +
        'a new run without --resume',
    );
  }
  const changed = names.filter((name) => CHANGEABLE.has(name) && name !== 'resume');
  return { ...own, ...Object.fromEntries(changed.map((name) => [name, given[name]])) };
}

/** What is to be trained otherwise by some options than by others, as flags; null if nothing is. */
export function differenceOf(
  some: TrainOptions,
  others: TrainOptions,
  names = Object.keys(FLAGS) as readonly FlagName[],
): [some: string, others: string] | null {
  const differing = names.filter((name) => !CHANGEABLE.has(name) && some[name] !== others[name]);
  if (differing.length === 0) return null;
  const flagsOf = (options: TrainOptions): string =>
    differing.map((name) => written(name, options[name])).join(' ');
  return [flagsOf(some), flagsOf(others)];
}

/** A flag as it is written on the command line. */
function written(name: FlagName, value: unknown): string {
  if (value === undefined) return `no --${name}`;
  if (typeof value === 'boolean') return value ? `--${name}` : `--no-${name}`;
  return `--${name} ${value}`;
}

/** Options that were read from a file, if they have the types of the flags. */
export function checkedOptions(
  found: Readonly<Record<string, unknown>>,
): { options: TrainOptions; unknown: string[] } | { problem: string } {
  for (const [name, flag] of flags) {
    const value = Object.hasOwn(found, name) ? found[name] : undefined;
    if (value === undefined && flag.default === undefined) continue;
    const rule = ruleOf(flag, value);
    if (rule !== null) return { problem: `the option '${name}' must be ${rule}` };
  }
  const unknown = Object.keys(found).filter((name) => !Object.hasOwn(FLAGS, name));
  return { options: found as TrainOptions, unknown }; // As all flags were checked.
}
