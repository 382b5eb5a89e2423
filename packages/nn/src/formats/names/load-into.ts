import { printablePath, sameShape } from '@firelight/tensor/extend';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { prepareParams } from '../../checkpoint/load-param.ts';
import { CheckpointError } from '../../core/errors.ts';
import type { Module, StateDict } from '../../module/module.ts';
import { type NamePattern, pickNamed } from '../../module/name-patterns.ts';
import type { Optimizer } from '../../optimizers/optimizer.ts';
import { nearestNetwork, originHint } from './identify.ts';
import { type MappedNames, mapNames } from './map-names.ts';

/** How a network takes a checkpoint. */
export interface LoadIntoOptions {
  /** Names the tensors of the network that keep what they have, such as a new head's: `'final_conv'`. */
  readonly except?: NamePattern;
  /** Whether every other tensor of the network must be in the file; true by default. */
  readonly strict?: boolean;
  /** Takes what the file's optimizer kept, and the count of its steps, so that the training goes on. */
  readonly optimizer?: Optimizer;
}

/**
 * Copies a checkpoint of any origin into a network: names are found by `mapNames`, floats of 16 bits and
 * integers are converted as by `loadParamIntoNet`. Nothing is changed if anything does not fit.
 *
 * @returns what was found, and what was not; its `notes` say if the network lacks an option of its origin
 * @throws CheckpointError if the file is of another network, which it names, lacks a tensor, or has one of
 *   another shape; ValueError if `except` names nothing, or the optimizer's state is not in the file
 */
export function loadInto(
  network: Module,
  checkpoint: Checkpoint,
  { except, strict = true, optimizer }: LoadIntoOptions = {},
): MappedNames {
  const { file, tensors } = checkpoint;
  const origin = originHint(checkpoint);
  const mapped = mapNames(network, tensors, {
    origin,
    optimizer: checkpoint.optimizer?.state,
    file: printablePath(file),
  });
  const own = network.stateDict();
  const kept = new Set(except === undefined ? [] : namesOf(except, own));
  const state = Object.fromEntries(
    Object.keys(own)
      .filter((name) => kept.has(name) || Object.hasOwn(mapped.state, name))
      .map((name) => [name, kept.has(name) ? own[name] : mapped.state[name]]),
  );
  const params = prepare(network, { ...checkpoint, tensors: state }, tensors, strict);
  const resume =
    optimizer === undefined ? null : prepareResume(optimizer, network, checkpoint, mapped);
  params.commit();
  resume?.();
  const notes = [...mapped.notes, ...differingOptions(network, mapped)];
  return { ...mapped, missing: params.missing, notes };
}

/** What the network would have to be created with to compute what it did where the weights come from. */
function differingOptions(network: Module, { origin: { name, options } }: MappedNames): string[] {
  const own = network as object as Readonly<Record<string, unknown>>;
  return Object.entries(options)
    .filter(([option, value]) => own[option] !== undefined && own[option] !== value)
    .map(
      ([option, value]) =>
        `${name} has ${option}: '${value}' and this network '${own[option]}', so it gives other outputs; ` +
        'create it with origin.options',
    );
}

function namesOf(except: NamePattern, own: StateDict): string[] {
  const named = Object.keys(own).map((name) => [name, name] as const);
  return pickNamed(except, named, { op: 'loadInto', message: 'loadInto: there is no', others: [] });
}

/** Checks what is copied; where shapes are another network's of the same names, the error says so. */
function prepare(network: Module, mapped: Checkpoint, tensors: StateDict, strict: boolean) {
  try {
    return prepareParams(network, mapped, { strict });
  } catch (error) {
    const nearest = error instanceof CheckpointError ? nearestNetwork(tensors) : null;
    const { label, telling } = nearest?.network ?? {};
    if (telling === undefined) throw error;
    const [name, shape] = telling;
    const own = network.stateDict()[name];
    if (own === undefined || sameShape(own.shape, shape)) throw error;
    throw new CheckpointError(
      `${(error as Error).message} (the names and first weights are those of ${label})`,
      { cause: error },
    );
  }
}

/** Tensors that count the steps taken, the first that a file has. */
const STEPS = ['global_step', 'step_num'];

function prepareResume(
  optimizer: Optimizer,
  network: Module,
  { file, tensors }: Checkpoint,
  mapped: MappedNames,
): () => void {
  const counted = STEPS.find((name) => Object.hasOwn(tensors, name));
  const steps = counted === undefined ? null : tensors[counted].data[0];
  if (steps !== null && !(Number.isSafeInteger(steps) && steps >= 0)) {
    throw new CheckpointError(
      `${printablePath(file)}: ${counted} is ${steps}, no number of steps; leave out the optimizer`,
    );
  }
  const restore = optimizer.prepareStateDict(mapped.optimizer, network);
  return () => {
    restore();
    if (steps !== null) optimizer.restoreGlobalStep(steps);
  };
}
