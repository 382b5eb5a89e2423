import { type Generator, type GeneratorState, tensor, ValueError } from '@firelight/tensor';
import { type Checkpoint, loadParamIntoNet } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import type { Module, StateDict } from '../module.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { DataPosition } from './batch-stream.ts';
import type { Callback } from './callback.ts';
import { copyOf } from './copy-of.ts';
import type { Snapshot } from './snapshot.ts';
import type { GatheredBatches } from './train-step.ts';
import { stateOf, type TrainingData } from './training-data.ts';
import { isAveraged, type WeightAverage } from './weight-average.ts';

/** How far a training is. */
export interface Position {
  /** The epoch, counted from 1, and its steps that are done. */
  readonly epoch: number;
  readonly step: number;
  readonly globalStep: number;
  /** Loss and learning rate of the last step; NaN before the first. */
  readonly loss: number;
  readonly learningRate: number;
  readonly data: DataPosition;
  /** The batches whose gradients wait for the optimizer's next step. */
  readonly gathered: GatheredBatches;
}

/** Everything of a training that changes while it runs. */
export interface TrainingParts {
  readonly network: Module;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | null;
  readonly data: TrainingData;
  readonly validation: TrainingData | null;
  readonly callbacks: readonly Callback[];
}

/** What the metadata holds as JSON, beside the numbers that people look for. */
interface StoredState {
  /** State of the data set's generator when its present epoch began. */
  readonly data: GeneratorState | null;
  /** Its state at the moment. */
  readonly dataNow: GeneratorState | null;
  /** Batches taken of that epoch. */
  readonly batch: number;
  /** Of the last step; null before the first. */
  readonly loss: number | null;
  readonly learningRate: number | null;
  readonly validation: GeneratorState | null;
  readonly accumulated: number;
  /** The samples of each of the accumulated batches; files of older versions do not tell. */
  readonly batchSizes?: GatheredBatches;
  readonly generators: Readonly<Record<string, GeneratorState>>;
  readonly callbacks: Readonly<Record<string, unknown>>;
}

const GRADIENT = 'gradient.';

/** What a checkpoint file must hold so that a training can go on exactly. */
export function captureState(parts: TrainingParts, position: Position): Snapshot {
  const { network, optimizer, average, validation, callbacks } = parts;
  const { epoch, step, globalStep, loss, learningRate, data, gathered } = position;
  const rates = optimizer.learningRateArray;
  const stored: StoredState = {
    data: data.begin,
    dataNow: data.now,
    batch: data.batch,
    loss,
    learningRate,
    validation: validation === null ? null : stateOf(validation),
    accumulated: gathered.length,
    batchSizes: gathered,
    generators: statesOf(network.namedGenerators()),
    callbacks: Object.fromEntries(
      callbacks.flatMap((callback) =>
        callback.state === undefined ? [] : [[nameOf(callback), callback.state()]],
      ),
    ),
  };
  return {
    tensors: {
      ...(average ?? network).stateDict(),
      ...optimizer.stateDict(network),
      ...(gathered.length > 0 ? gradientsOf(network) : {}),
      ...(rates === null ? {} : { learning_rate: tensor(rates) }),
      global_step: tensor([optimizer.globalStep], { dtype: 'int32' }),
    },
    metadata: {
      epoch: String(epoch),
      step: String(step),
      globalStep: String(globalStep),
      training: JSON.stringify(stored),
    },
  };
}

function statesOf(generators: readonly (readonly [string, Generator])[]) {
  return Object.fromEntries(generators.map(([name, generator]) => [name, generator.state()]));
}

function nameOf(callback: Callback): string {
  return callback.name ?? callback.constructor.name;
}

function describe(value: unknown): string {
  return typeof value === 'function' ? `the function ${value.name}` : String(value);
}

/** @throws ValueError for what is no callback, one that is there twice, or two states of one name */
export function checkCallbacks(callbacks: readonly Callback[]): void {
  for (const [i, callback] of callbacks.entries()) {
    if (typeof callback !== 'object' || callback === null) {
      throw new ValueError(
        `Model.train: callbacks[${i}] is ${describe(callback)}, not an object with methods such as ` +
          'onStepEnd; leave it out',
      );
    }
    if (callbacks.indexOf(callback) !== i) {
      throw new ValueError(
        `Model.train: callbacks[${i}], '${nameOf(callback)}', is in the list twice; leave one out`,
      );
    }
  }
  const names = callbacks.filter(({ state }) => state !== undefined).map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ValueError(
      `Model.train: two callbacks with state are called '${twice}'; give them different names`,
    );
  }
}

function gradientsOf(network: Module): StateDict {
  return Object.fromEntries(
    network
      .namedParameters()
      .flatMap(([name, { grad }]) => (grad === null ? [] : [[GRADIENT + name, grad]])),
  );
}

/**
 * Puts a training back where the checkpoint was saved.
 *
 * @throws CheckpointError if the file holds weights only, or does not fit the training
 */
export function restoreState(parts: TrainingParts, checkpoint: Checkpoint): Position {
  const { network, optimizer, average, data, validation, callbacks } = parts;
  const { file, tensors, metadata } = checkpoint;
  const stored = parseState(checkpoint);
  if (average === null && isAveraged(tensors)) {
    throw new CheckpointError(
      `${file}: is of a training with averageDecay; give the Model the averageDecay it had`,
    );
  }
  loadParamIntoNet(network, checkpoint);
  inFile(file, () => {
    optimizer.loadStateDict(tensors, network);
    optimizer.restoreGlobalStep(Number(tensors.global_step?.array.data[0]));
    average?.loadStateDict(tensors);
    for (const [name, generator] of network.namedGenerators()) {
      if (name in stored.generators) generator.restore(stored.generators[name]);
    }
    if (stored.dataNow !== null) data.generator?.restore(stored.dataNow);
    if (stored.validation !== null) validation?.generator?.restore(stored.validation);
  });
  for (const [name, parameter] of network.namedParameters()) {
    const gradient = tensors[GRADIENT + name];
    // A copy: gradients are added to in place and released, and the checkpoint may be used again.
    parameter.grad = gradient === undefined ? null : copyOf(gradient);
  }
  for (const callback of callbacks) {
    const name = nameOf(callback);
    if (name in stored.callbacks) callback.restore?.(stored.callbacks[name]);
  }
  return {
    epoch: Number(metadata.epoch),
    step: Number(metadata.step),
    globalStep: Number(metadata.globalStep),
    loss: stored.loss ?? Number.NaN,
    learningRate: stored.learningRate ?? Number.NaN,
    data: { begin: stored.data, now: stored.dataNow, batch: stored.batch },
    gathered: stored.batchSizes ?? new Array(stored.accumulated).fill(null),
  };
}

function parseState({ file, metadata }: Checkpoint): StoredState {
  if (metadata.training === undefined) {
    throw new CheckpointError(
      `${file}: holds weights, but not the state of a training; start a new training from it ` +
        'with loadParamIntoNet',
    );
  }
  return inFile(file, () => JSON.parse(metadata.training) as StoredState);
}

/** Adds the file's name to errors of `body`. */
function inFile<Result>(file: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw new CheckpointError(
      `${file}: does not fit this training: ${(error as Error).message}; resume with the same ` +
        'network, optimizer and options',
      { cause: error },
    );
  }
}
