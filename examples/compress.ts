import { stat } from 'node:fs/promises';
import {
  ConstrainedOptimizer,
  dequantize,
  loadParamIntoNet,
  Model,
  type Module,
  Momentum,
  oneCycle,
  ProgressBar,
  prune,
  quantize,
  registerCheckpointFormat,
  SoftmaxCrossEntropyWithLogits,
  saveCheckpoint,
  shareWeights,
  type WeightConstraint,
} from '@firelight/nn';
import { COMPACT } from '@firelight/nn/formats';
import { Generator, ValueError } from '@firelight/tensor';
import { type LoadedCifar, loadCifar } from './support/load-cifar.ts';
import { openNetwork } from './support/open-network.ts';
import { parseTrainOptions } from './support/parse-train-options.ts';
import { readArguments } from './support/read-arguments.ts';
import { run, warn } from './support/run.ts';

const HELP = `Compresses a network of npm run train as Deep Compression does (arXiv:1510.00149).

Usage: node --conditions=@firelight/source --import tsx examples/compress.ts --checkpoint <file> [flags]

The smallest weights are pruned and the others trained on; then weights share few values, which are
trained on too; and Huffman's codes store them. After each step the network is tested. What is written
can be loaded as any checkpoint: predict.ts --checkpoint takes it.

  --checkpoint <file>  a checkpoint of npm run train, such as runs/…/checkpoints/SqueezeNet-best.safetensors
  --out <file>         where the compressed network goes (compressed.flc)
  --int8 <file>        also write its weights before all this as int8, a quarter of the size
  --density <share>    the share of the weights that is kept, in (0, 1] (0.33)
  --bits <n>           2^n values in each layer, from 1 to 8 (6)
  --epochs <n>         passes over the training images after pruning (2)
  --share-epochs <n>   passes after the weights share values (1)
  --lr <rate>          highest learning rate after pruning; a tenth of it after sharing (0.02)
  --train-size <n>     images trained on, of 50000 (50000)
  --test-size <n>      images tested on, of 10000 (10000)
  --data <dir>         folder with the CIFAR-10 .bin files
  --synthetic          use the built-in made-up images
  --help               print this text`;

const FLAGS = {
  checkpoint: { type: 'string' },
  out: { type: 'string', default: 'compressed.flc' },
  int8: { type: 'string' },
  density: { type: 'string', default: '0.33' },
  bits: { type: 'string', default: '6' },
  epochs: { type: 'string', default: '2' },
  'share-epochs': { type: 'string', default: '1' },
  lr: { type: 'string', default: '0.02' },
  'train-size': { type: 'string', default: '50000' },
  'test-size': { type: 'string', default: '10000' },
  data: { type: 'string' },
  synthetic: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const readFlags = () => readArguments({ options: FLAGS }).values;

type Values = ReturnType<typeof readFlags>;
type NumberFlag = 'density' | 'bits' | 'epochs' | 'share-epochs' | 'lr';

function numberOf(values: Values, flag: NumberFlag, rule: string, fits: (n: number) => boolean) {
  const text = values[flag];
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!fits(number)) throw new ValueError(`--${flag} must be ${rule}, got '${text}'`);
  return number;
}

/** What is done, from the flags. */
function planOf(values: Values) {
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;
  return {
    density: numberOf(values, 'density', 'in (0, 1]', (n) => n > 0 && n <= 1),
    bits: numberOf(values, 'bits', 'from 1 to 8', (n) => isCount(n) && n >= 1 && n <= 8),
    epochs: numberOf(values, 'epochs', 'a whole number ≥ 0', isCount),
    shareEpochs: numberOf(values, 'share-epochs', 'a whole number ≥ 0', isCount),
    learningRate: numberOf(values, 'lr', 'a number > 0', (n) => n > 0 && n < Infinity),
  };
}

/** Trains on for some epochs, keeping what `constraint` asks for. */
async function trainOn(
  network: Module,
  constraint: WeightConstraint,
  data: LoadedCifar,
  { epochs, learningRate }: { epochs: number; learningRate: number },
): Promise<void> {
  if (epochs === 0) return;
  const totalSteps = epochs * data.train.batchesPerEpoch;
  const momentum = new Momentum(network.parameters(), {
    learningRate: oneCycle({ max: learningRate, totalSteps }),
    momentum: 0.9,
    nesterov: true,
    weightDecay: 1e-4,
  });
  const model = new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new ConstrainedOptimizer(momentum, constraint),
  });
  await model.train(epochs, data.train, { callbacks: [new ProgressBar()], warn });
}

async function accuracyOf(network: Module, data: LoadedCifar): Promise<number> {
  const { accuracy } = await new Model({ network, metrics: ['accuracy'] }).eval(data.test);
  return accuracy as number;
}

async function main(): Promise<void> {
  const values = readFlags();
  if (values.help) {
    console.log(HELP);
    return;
  }
  const plan = planOf(values);
  const { checkpoint, out } = values;
  if (checkpoint === undefined) {
    throw new ValueError('--checkpoint is missing: pass a checkpoint of npm run train; see --help');
  }
  registerCheckpointFormat(COMPACT);
  const { network, imageSize, metadata } = await openNetwork(checkpoint);
  const flags = [`--train-size=${values['train-size']}`, `--test-size=${values['test-size']}`];
  const data = await loadCifar(
    {
      ...parseTrainOptions([...flags, `--image-size=${imageSize}`]),
      synthetic: values.synthetic,
      ...(values.data === undefined ? {} : { data: values.data }),
    },
    new Generator(0),
    warn,
  );
  console.log(
    `data: ${data.source}, ${data.train.length} to train and ${data.test.length} to test`,
  );
  const report = new Report(network, data);
  await report.add('as it was trained', { bits: 32 });
  if (values.int8 !== undefined) {
    const state = quantize(network);
    const file = await saveCheckpoint(state, values.int8, metadata);
    const rounded = (await openNetwork(checkpoint)).network;
    loadParamIntoNet(rounded, dequantize(state));
    await report.add(`int8 weights, in ${file}`, { bits: 8, file, network: rounded });
  }
  const { density, bits, epochs, shareEpochs, learningRate } = plan;
  const pruning = prune(network, { density });
  await report.add(`pruned to ${percent(pruning.density)}`, { bits: 32 });
  await trainOn(network, pruning, data, { epochs, learningRate });
  await report.add(`trained on for ${epochs} epochs`, { bits: 32 });
  const shared = shareWeights(network, { bits });
  await report.add(`weights share ${2 ** bits} values`, { bits });
  await trainOn(network, shared, data, { epochs: shareEpochs, learningRate: learningRate / 10 });
  const file = await saveCheckpoint(network, out, metadata, { format: COMPACT.name });
  await report.add(`values trained on for ${shareEpochs} epochs`, { bits, file });
  console.log(`\nthe compressed network is in ${file}`);
}

const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;

/** Tests a network after each step, and prints what it has become. */
class Report {
  readonly #network: Module;
  readonly #data: LoadedCifar;
  /** Bytes of all weights as float32. */
  readonly #before: number;

  constructor(network: Module, data: LoadedCifar) {
    this.#network = network;
    this.#data = data;
    this.#before = network.parameters().reduce((sum, { size }) => sum + 4 * size, 0);
    console.log(
      `${'step'.padEnd(44)} ${'accuracy'.padStart(9)}  bits  ${'bytes'.padStart(9)}  of float32`,
    );
  }

  /** @param about what a weight takes without Huffman's codes; and the file, where one was written */
  async add(
    step: string,
    { bits, file, network = this.#network }: { bits: number; file?: string; network?: Module },
  ): Promise<void> {
    const accuracy = await accuracyOf(network, this.#data);
    const bytes = file === undefined ? null : (await stat(file)).size;
    const size =
      bytes === null
        ? ''
        : `${String(bytes).padStart(9)}  ${percent(bytes / this.#before).padStart(8)}`;
    console.log(
      `${step.padEnd(44)} ${percent(accuracy).padStart(9)}  ${String(bits).padStart(4)}  ${size}`.trimEnd(),
    );
  }
}

await run(main);
