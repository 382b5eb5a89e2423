import { type Generator, type GeneratorState, tensor, ValueError } from '@firelight/tensor';
import type { Snapshot } from '../checkpoint/snapshot.ts';
import type { Module, StateDict } from '../module/module.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { DataPosition } from './batch-stream.ts';
import type { Callback } from './callback.ts';
import type { GatheredBatches } from './train-step.ts';
import { stateOf, type TrainingData } from './training-data.ts';
import type { WeightAverage } from './weight-average.ts';

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

/** Beginning of the names of gradients that wait for the optimizer's next step. */
export const GRADIENT = 'gradient.';

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

export function nameOf(callback: Callback): string {
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
