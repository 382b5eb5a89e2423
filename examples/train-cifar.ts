import {
  type Callback,
  type Checkpoint,
  CheckpointError,
  getLr,
  LossMonitor,
  MetricsLog,
  Model,
  ModelCheckpoint,
  Momentum,
  ProgressBar,
  SoftmaxCrossEntropyWithLogits,
  type SqueezeNet,
  TensorBoard,
  TimeMonitor,
} from '@firelight/nn';
import { describeBackend, Generator, ValueError } from '@firelight/tensor';
import { chooseBackend } from './support/choose-backend.ts';
import { createNetwork } from './support/create-network.ts';
import { INTERRUPTED, interruptSignal } from './support/interrupt.ts';
import { loadCifar } from './support/load-cifar.ts';
import { configOf, openNetwork } from './support/open-network.ts';
import { helpText, parseTrainOptions, resumedOptions } from './support/parse-train-options.ts';
import { startFrom } from './support/pretrained.ts';
import { accuracyLines, type Confusion, drawPictures } from './support/report.ts';
import { run, warn } from './support/run.ts';
import type { RunConfig } from './support/run-config.ts';
import {
  existingRun,
  latestOf,
  newRun,
  PREFIX,
  type RunFolder,
  readConfig,
  writeConfig,
} from './support/run-folder.ts';
import { differenceOf, type TrainOptions } from './support/train-options.ts';

/** A run that begins or goes on, in a folder of which no other process makes use. */
interface Session {
  readonly options: TrainOptions;
  readonly folder: RunFolder;
  readonly resumeFrom: Checkpoint | null;
  /** The configuration that is in the folder; null before the run has begun. */
  readonly config: RunConfig | null;
}

/** Trains in the folder that the flags name, alone. */
async function trainInFolder(given: TrainOptions, args: readonly string[]): Promise<void> {
  const { resume, recipe, out } = given;
  if (!resume) await chooseBackend(given);
  const { folder, release } = await (resume ? existingRun(out) : newRun(recipe, out));
  try {
    await train(
      resume
        ? await resumeIn(folder, args)
        : { options: given, folder, resumeFrom: null, config: null },
    );
  } finally {
    await release();
  }
}

async function resumeIn(folder: RunFolder, args: readonly string[]): Promise<Session> {
  const config = await readConfig(folder);
  const options = resumedOptions(config.options, args);
  const resumeFrom = await latestOf(folder, warn);
  // The checksum of a checkpoint covers the configuration in it, and not that in the folder.
  const saved = resumeFrom === null ? config : configOf(resumeFrom);
  const difference = differenceOf(config.options, saved.options);
  if (difference !== null) {
    const [now, then] = difference;
    throw new CheckpointError(
      `${folder.config} says ${now}, and ${resumeFrom?.file} was saved with ${then}; put the file ` +
        'back as it was, or start a new run',
    );
  }
  await chooseBackend(options);
  return { options, folder, resumeFrom, config };
}

function createModel(network: SqueezeNet, stepsPerEpoch: number, options: TrainOptions): Model {
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
  const { momentum, nesterov } = options;
  const clipNorm = options['clip-norm'];
  return new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({
      sparse: true,
      reduction: 'mean',
      labelSmoothing: options['label-smoothing'],
    }),
    optimizer: new Momentum(network.parameters(), {
      learningRate,
      momentum,
      nesterov,
      weightDecay: options['weight-decay'],
    }),
    metrics: ['accuracy', 'loss', 'confusionMatrix'],
    ...(clipNorm === undefined ? {} : { clipNorm }),
  });
}

function createCallbacks({ options, folder }: Session, config: RunConfig): Callback[] {
  const lossEvery = options['loss-every'];
  return [
    ...(lossEvery > 0 ? [new LossMonitor(lossEvery), new TimeMonitor()] : [new ProgressBar()]),
    new MetricsLog(folder.metrics, { warn }),
    ...(options.tensorboard ? [new TensorBoard(folder.path)] : []),
    new ModelCheckpoint({
      directory: folder.checkpoints,
      prefix: PREFIX,
      saveCheckpointSteps: options['checkpoint-every'],
      keepCheckpointMax: options.keep,
      keepBest: { metric: 'accuracy', mode: 'max' },
      metadata: { config: JSON.stringify(config) },
    }),
  ];
}

async function evaluateOnly(file: string, options: TrainOptions): Promise<void> {
  const { network, imageSize, classNames } = await openNetwork(file);
  const data = await loadCifar({ ...options, 'image-size': imageSize }, new Generator(0), warn);
  console.log(`data:    ${data.source}, ${data.test.length} to test`);
  printSetting(network);
  const model = new Model({ network, metrics: ['confusionMatrix'] });
  const { confusionMatrix } = await model.eval(data.test);
  for (const line of accuracyLines(confusionMatrix as Confusion, classNames)) console.log(line);
}

function printSetting(network: SqueezeNet): void {
  const parameters = network.parameters().reduce((sum, { size }) => sum + size, 0);
  console.log(`network: SqueezeNet, ${parameters} parameters`);
  console.log(`backend: ${describeBackend().summary}`);
}

async function train(session: Session): Promise<void> {
  const { options, folder, resumeFrom, config: begun } = session;
  const [weights, order] = new Generator(options.seed).split(2);
  const network = createNetwork(options, weights);
  const { pretrained, freeze } = options;
  const isNew = resumeFrom === null;
  const taken = isNew && pretrained !== undefined ? await startFrom(pretrained, network) : [];
  if (freeze !== undefined) network.freeze(freeze);
  const data = await loadCifar(options, order, warn);
  const config: RunConfig = { options, classNames: data.classNames };
  if (begun !== null && String(begun.classNames) !== String(config.classNames)) {
    throw new ValueError(
      `the run was begun on other images, of ${begun.classNames.slice(0, 2).join(', ')} …; these ` +
        `are of ${config.classNames.slice(0, 2).join(', ')} …; pass --data with those it began with`,
    );
  }
  console.log(
    `data:    ${data.source}, ${data.train.length} to train and ${data.test.length} to test`,
  );
  printSetting(network);
  for (const line of taken) console.log(`weights: ${line}`);
  console.log(`run:     ${folder.path}`);
  if (!isNew) {
    const { epoch, step } = resumeFrom.metadata;
    console.log(`resumed: ${resumeFrom.file}, after step ${step} of epoch ${epoch}`);
  } else if (begun !== null) {
    console.log('resumed: it was stopped before its first checkpoint, so it begins anew');
  } else {
    await writeConfig(folder, config);
  }

  const model = createModel(network, data.train.batchesPerEpoch, options);
  const { signal, release } = interruptSignal(warn);
  const { stopReason, metrics } = await model.train(options.epochs, data.train, {
    callbacks: createCallbacks(session, config),
    validation: data.test,
    signal,
    warn,
    ...(isNew ? {} : { resumeFrom }),
  });
  release();
  if (stopReason !== null) {
    console.log(
      `stopped: ${stopReason}; go on with: npm run train -- --resume --out ${folder.path}`,
    );
    process.exitCode = INTERRUPTED;
    return;
  }
  // A run that was complete when it was resumed has nothing left to measure.
  const { confusionMatrix } = metrics ?? (await model.eval(data.test));
  const confusion = confusionMatrix as Confusion;
  for (const line of accuracyLines(confusion, data.classNames)) console.log(line);
  await drawPictures(folder, { confusion, classNames: data.classNames, warn });
  console.log(`pictures: ${folder.curves} and ${folder.confusion}`);
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const given = parseTrainOptions(args);
  const { help, 'eval-only': file } = given;
  if (help) {
    console.log(helpText());
    return;
  }
  if (file === undefined) {
    await trainInFolder(given, args);
    return;
  }
  await chooseBackend(given);
  await evaluateOnly(file, given);
}

await run(main, { outlivesTerminal: true });
