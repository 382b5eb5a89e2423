import { type GeneratorState, ValueError } from '@firelight/tensor';
import { printablePath, quote } from '@firelight/tensor/extend';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { prepareParams } from '../checkpoint/load-param.ts';
import { CheckpointError } from '../core/errors.ts';
import {
  anything,
  finite,
  integer,
  integerText,
  list,
  nullable,
  object,
  optional,
  record,
  type Schema,
} from '../core/schema.ts';
import type { Module, StateDict } from '../module/module.ts';
import { expectFit } from '../module/state-dict.ts';
import type { Callback } from './callback.ts';
import { copyOf } from './copy-of.ts';
import { batchesPerEpoch, type TrainingData } from './training-data.ts';
import { GRADIENT, nameOf, type Position, type TrainingParts } from './training-state.ts';
import { isAveraged } from './weight-average.ts';

const WORD = integer(0, 2 ** 32 - 1);
/** Lengths as in `GeneratorState`. */
const GENERATOR: Schema<GeneratorState> = (value, path) => {
  const { key, counter } = object({ key: list(WORD, 2), counter: list(WORD, 4) })(value, path);
  return { key: [key[0], key[1]], counter: [counter[0], counter[1], counter[2], counter[3]] };
};

/** What `captureState` writes as JSON; what is optional is not in files of the first version. */
const STORED = object({
  data: nullable(GENERATOR),
  dataNow: optional(nullable(GENERATOR)),
  batch: optional(integer(0)),
  loss: optional(nullable(finite)),
  learningRate: optional(nullable(finite)),
  validation: nullable(GENERATOR),
  accumulated: integer(0),
  /** As many as are accumulated; files of older versions do not tell. */
  batchSizes: anything,
  generators: record(GENERATOR),
  callbacks: record(anything),
});

interface Limits {
  readonly accumulationSteps: number;
  readonly stepsPerEpoch: number | null;
}

/**
 * Puts a training back where the checkpoint was saved: all of it, or, where anything of the file does
 * not fit, nothing.
 *
 * @param limits batches that make one step of the optimizer, and steps that make an epoch; null for
 *   as many as come
 * @throws CheckpointError if the file holds weights only, is another program's, or does not fit the
 *   training
 */
export function restoreState(
  parts: TrainingParts,
  checkpoint: Checkpoint,
  limits: Limits,
): Position {
  const { network, optimizer, average, data, validation, callbacks } = parts;
  const { tensors } = checkpoint;
  return inFile(checkpoint, () => {
    const { position, stored } = parseState(checkpoint, limits.accumulationSteps);
    checkPosition(position, data, limits.stepsPerEpoch);
    if (average === null && isAveraged(tensors)) {
      throw new CheckpointError(
        `${printablePath(checkpoint.file)}: is of a training with averageDecay; give the Model the ` +
          'averageDecay it had',
      );
    }
    const globalStep = integer(0)(tensors.global_step?.array.data[0], 'global_step');
    const generators = network.namedGenerators().map(([name, generator]) => {
      const state = stored.generators.get(name);
      if (state === undefined) {
        throw new ValueError(`the state of the generator of module ${quote(name)} is missing`);
      }
      return { generator, state };
    });
    const commits = [
      prepareParams(network, checkpoint).commit,
      optimizer.prepareStateDict(tensors, network),
      average?.prepareStateDict(tensors),
      prepareGradients(network, position.gathered.length > 0 ? tensors : {}),
    ];
    // Callbacks of the user check their states themselves, so they come before what cannot fail.
    restoreCallbacks(callbacks, stored.callbacks);
    for (const commit of commits) commit?.();
    optimizer.restoreGlobalStep(globalStep);
    for (const { generator, state } of generators) generator.restore(state);
    const dataState = stored.dataNow ?? stored.data;
    if (dataState !== null) data.generator?.restore(dataState);
    if (stored.validation !== null) validation?.generator?.restore(stored.validation);
    return position;
  });
}

/** A position beyond an epoch's end tells of another data set, batch size or length of epochs. */
function checkPosition(
  { epoch, step, globalStep, data: { batch } }: Position,
  data: TrainingData,
  stepsPerEpoch: number | null,
): void {
  if (stepsPerEpoch !== null && step > stepsPerEpoch) {
    throw new ValueError(
      `it was saved after step ${step} of an epoch, which has ${stepsPerEpoch} now`,
    );
  }
  const batches = batchesPerEpoch(data);
  if (batches !== null && batch > batches) {
    throw new ValueError(
      `it was saved after batch ${batch} of the data set, which has ${batches} now`,
    );
  }
  if (globalStep < step) {
    throw new ValueError(`step ${step} of epoch ${epoch} cannot be step ${globalStep} of all`);
  }
}

/** The gradients that wait for the optimizer's next step; parameters without one get none. */
function prepareGradients(network: Module, tensors: StateDict): () => void {
  const pairs = network.namedParameters().map(([name, parameter]) => {
    const key = GRADIENT + name;
    if (!Object.hasOwn(tensors, key)) return { parameter, gradient: null };
    const gradient = tensors[key];
    expectFit('the gradients', key, gradient, parameter, { sameDType: true });
    return { parameter, gradient };
  });
  return () => {
    for (const { parameter, gradient } of pairs) {
      // A copy: gradients are added to in place and released, and the checkpoint may be used again.
      parameter.grad = gradient === null ? null : copyOf(gradient);
    }
  };
}

/** Gives callbacks their states; where one refuses its own, the others get back what they had. */
function restoreCallbacks(
  callbacks: readonly Callback[],
  states: ReadonlyMap<string, unknown>,
): void {
  const undo: (() => void)[] = [];
  try {
    for (const callback of callbacks) {
      const name = nameOf(callback);
      if (!states.has(name)) continue;
      const before = callback.state?.();
      callback.restore?.(states.get(name));
      undo.push(() => callback.restore?.(before));
    }
  } catch (error) {
    for (const takeBack of undo.reverse()) takeBack();
    throw error;
  }
}

/** All numbers of the file, checked. */
function parseState({ metadata, isForeign }: Checkpoint, accumulationSteps: number) {
  const { training } = metadata;
  if (training === undefined) {
    throw new NoTraining('holds weights, but not the state of a training');
  }
  if (isForeign === true) {
    throw new NoTraining(
      'was written anew by another program, so its training cannot go on exactly',
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(training);
  } catch {
    throw new ValueError('the state of the training is no JSON');
  }
  const stored = STORED(parsed, 'training');
  const count = integer(0, accumulationSteps - 1)(stored.accumulated, 'training.accumulated');
  const sizes = list(nullable(integer(1)), count);
  const step = integerText(0)(metadata.step, 'step');
  const position: Position = {
    epoch: integerText(1)(metadata.epoch, 'epoch'),
    step,
    globalStep: integerText(0)(metadata.globalStep, 'globalStep'),
    loss: stored.loss ?? Number.NaN,
    learningRate: stored.learningRate ?? Number.NaN,
    data: { begin: stored.data, now: stored.dataNow ?? null, batch: stored.batch ?? step },
    gathered: sizes(stored.batchSizes ?? new Array(count).fill(null), 'training.batchSizes'),
  };
  return { position, stored };
}

/** A file that can give weights, but no training. */
class NoTraining extends CheckpointError {}

/** Makes errors of `body` those of a file. */
function inFile<Result>({ file }: Checkpoint, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    const { message } = error as Error;
    const path = printablePath(file);
    if (error instanceof NoTraining) {
      throw new CheckpointError(
        `${path}: ${message}; start a new training from it with loadParamIntoNet`,
      );
    }
    // Those of reading it name the file.
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(
      `${path}: does not fit this training: ${message}; resume with the same network, optimizer, ` +
        'data and options',
      { cause: error },
    );
  }
}
