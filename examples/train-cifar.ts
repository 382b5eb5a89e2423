import { CIFAR10_CLASSES } from '@firelight/data';
import { getLr, Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import {
  describeBackend,
  Generator,
  setBackend,
  setThreads,
  type Tensor,
  tidy,
} from '@firelight/tensor';
import { evaluate, formatShare, sumCounts } from './support/evaluate.ts';
import { type LoadedCifar, loadCifar } from './support/load-cifar.ts';
import { ProgressBar } from './support/progress.ts';
import { run, warn } from './support/run.ts';
import { helpText, parseTrainOptions, type TrainOptions } from './support/train-options.ts';

/** Steps over which the shown loss is averaged. */
const LOSS_WINDOW = 10;

function createNetwork(options: TrainOptions, generator: Generator): SqueezeNet {
  const { version, bypass, stem, dropout } = options;
  return new SqueezeNet({
    numClasses: CIFAR10_CLASSES.length,
    version,
    bypass,
    stem,
    dropout,
    batchNorm: options['batch-norm'],
    headRelu: options['head-relu'],
    generator,
  });
}

function createOptimizer(network: SqueezeNet, stepsPerEpoch: number, options: TrainOptions) {
  const learningRate = getLr({
    lrInit: options['lr-init'],
    lrEnd: options['lr-end'],
    lrMax: options['lr-max'],
    totalEpochs: options['pretrain-epochs'] + options.epochs,
    warmupEpochs: options['warmup-epochs'],
    pretrainEpochs: options['pretrain-epochs'],
    stepsPerEpoch,
    lrDecayMode: options['lr-decay-mode'],
  });
  return new Momentum(network.parameters(), {
    learningRate,
    momentum: options.momentum,
    nesterov: options.nesterov,
    weightDecay: options['weight-decay'],
  });
}

async function train(
  network: SqueezeNet,
  { train: dataset }: LoadedCifar,
  options: TrainOptions,
): Promise<void> {
  const { epochs } = options;
  const { batchesPerEpoch } = dataset;
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = createOptimizer(network, batchesPerEpoch, options);

  const trainStep = (image: Tensor, label: Tensor): number =>
    tidy(() => {
      const loss = lossFn.forward(network.forward(image), label);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });

  const progress = new ProgressBar();
  const losses: number[] = [];
  network.train();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for await (const { image, label } of dataset) {
      losses.push(trainStep(image, label));
      const recent = losses.slice(-LOSS_WINDOW);
      const loss = recent.reduce((sum, value) => sum + value, 0) / recent.length;
      progress.update({
        label: `epoch ${epoch}/${epochs}`,
        step: losses.length,
        steps: epochs * batchesPerEpoch,
        images: label.size,
        details: `loss ${loss.toFixed(4)}`,
      });
    }
  }
}

async function main(): Promise<void> {
  const options = parseTrainOptions(process.argv.slice(2));
  if (options.help) {
    console.log(helpText());
    return;
  }
  if (options.backend !== undefined) await setBackend(options.backend);
  if (options.threads !== undefined) setThreads(options.threads);
  const [weights, order] = new Generator(options.seed).split(2);
  const network = createNetwork(options, weights);
  const data = await loadCifar(options, order, warn);

  const parameters = network.parameters().reduce((sum, { size }) => sum + size, 0);
  console.log(
    `data:    ${data.source}, ${data.train.length} to train and ${data.test.length} to test`,
  );
  console.log(`network: SqueezeNet ${options.version}, ${parameters} parameters`);
  console.log(`backend: ${describeBackend().summary}`);

  await train(network, data, options);
  const counts = await evaluate(network, data.test, data.classNames.length);
  const all = sumCounts(counts);
  console.log(`test accuracy: ${formatShare(all)} (${all.correct} of ${all.total})`);
  data.classNames.forEach((name, label) => {
    console.log(`  ${name.padEnd(10)} ${formatShare(counts[label]).padStart(7)}`);
  });
}

await run(main);
