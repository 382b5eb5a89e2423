import {
  type Callback,
  type Checkpoint,
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
import { describeBackend, Generator } from '@firelight/tensor';
import { chooseBackend } from './support/choose-backend.ts';
import { createNetwork } from './support/create-network.ts';
import { INTERRUPTED, interruptSignal } from './support/interrupt.ts';
import { loadCifar } from './support/load-cifar.ts';
import { openNetwork, type RunConfig } from './support/open-network.ts';
import { accuracyLines, type Confusion, drawPictures } from './support/report.ts';
import { run, warn } from './support/run.ts';
import {
  existingRun,
  latestOf,
  newRun,
  PREFIX,
  type RunFolder,
  readConfig,
  writeConfig,
} from './support/run-folder.ts';
import { helpText, parseTrainOptions, type TrainOptions } from './support/train-options.ts';

/** A run that begins or goes on. */
interface Session {
  readonly options: TrainOptions;
  readonly folder: RunFolder;
  readonly resumeFrom: Checkpoint | null;
}

/** Flags of a resumed run that may differ from those it began with. */
const MACHINE_FLAGS = [
  'data',
  'backend',
  'gpu-mode',
  'webgpu-module',
  'threads',
  'download',
  'mirror',
  'workers',
] as const;

async function openSession(given: TrainOptions): Promise<Session> {
  if (!given.resume) {
    return { options: given, folder: await newRun(given.recipe, given.out), resumeFrom: null };
  }
  const folder = await existingRun(given.out);
  const resumeFrom = await latestOf(folder, warn);
  const { options } = await readConfig<RunConfig>(folder);
  const own = MACHINE_FLAGS.filter((name) => given[name] !== undefined);
  const machine = Object.fromEntries(own.map((name) => [name, given[name]]));
  return { options: { ...options, ...machine }, folder, resumeFrom };
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
    new MetricsLog(folder.metrics),
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
  const { options, folder, resumeFrom } = session;
  const [weights, order] = new Generator(options.seed).split(2);
  const network = createNetwork(options, weights);
  const data = await loadCifar(options, order, warn);
  const config: RunConfig = { options, classNames: data.classNames };
  console.log(
    `data:    ${data.source}, ${data.train.length} to train and ${data.test.length} to test`,
  );
  printSetting(network);
  console.log(`run:     ${folder.path}`);
  if (resumeFrom !== null) {
    const { epoch, step } = resumeFrom.metadata;
    console.log(`resumed: ${resumeFrom.file}, after step ${step} of epoch ${epoch}`);
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
    ...(resumeFrom === null ? {} : { resumeFrom }),
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
  await drawPictures(folder, confusion, data.classNames);
  console.log(`pictures: ${folder.curves} and ${folder.confusion}`);
}

async function main(): Promise<void> {
  const given = parseTrainOptions(process.argv.slice(2));
  if (given.help) {
    console.log(helpText());
    return;
  }
  await chooseBackend(given);
  const file = given['eval-only'];
  if (file !== undefined) await evaluateOnly(file, given);
  else await train(await openSession(given));
}

await run(main);
