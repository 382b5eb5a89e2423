import { cast, type DType, type Tensor } from '@firelight/tensor';
import { printablePath, quoteSome } from '@firelight/tensor/extend';
import { CheckpointError } from '../core/errors.ts';
import type { Module, StateDict } from '../module/module.ts';
import { prepareState } from '../module/state-dict.ts';
import type { Checkpoint } from './checkpoint.ts';

/** How `loadParamIntoNet` takes a checkpoint. */
export interface LoadOptions {
  /** Whether every tensor of the network must be in the checkpoint; true by default. */
  readonly strict?: boolean;
}

/**
 * Copies the tensors of a checkpoint into the parameters and buffers of the same names. What else is
 * in it is left alone: what a training keeps (moments, learning rates), and what other programs do,
 * such as PyTorch's `num_batches_tracked`. Floats of 16 bits become the network's float32, and integers its
 * int32 if that holds them; else dtypes must be equal. Nothing is changed if anything does not fit.
 *
 * Where no name fits but all would without a common beginning (`module.features…`), that is
 * ignored.
 *
 * @param options `strict: false` lets tensors of the network be missing in the checkpoint
 * @returns names of the network that were not loaded
 * @throws CheckpointError with the file, the tensor, and both shapes or dtypes; ValueError if the
 *   names of one tensor bring different values
 * @see MindSpore, `load_param_into_net`
 */
export function loadParamIntoNet(
  network: Module,
  checkpoint: Checkpoint | StateDict,
  options: LoadOptions = {},
): string[] {
  const { missing, commit } = prepareParams(network, checkpoint, options);
  commit();
  return missing;
}

/** Checks all that `loadParamIntoNet` would copy; `commit` copies it, and cannot fail. */
export function prepareParams(
  network: Module,
  checkpoint: Checkpoint | StateDict,
  { strict = true }: LoadOptions = {},
): { readonly missing: string[]; readonly commit: () => void } {
  const isFile = typeof (checkpoint as Checkpoint).file === 'string';
  const file = isFile ? printablePath((checkpoint as Checkpoint).file) : 'loadParamIntoNet';
  const tensors = isFile ? (checkpoint as Checkpoint).tensors : (checkpoint as StateDict);
  const own = network.stateDict();
  const ownNames = Object.keys(own);
  const prefix = commonPrefix(ownNames, Object.keys(tensors));
  const found = ownNames.filter((name) => Object.hasOwn(tensors, prefix + name));
  if (found.length === 0) {
    throw new CheckpointError(
      `${file}: has no tensor of this network (it has ${quoteSome(Object.keys(tensors))}; ` +
        `the network ${quoteSome(ownNames)}); is it of another network?`,
    );
  }
  const state = Object.fromEntries(
    found.map((name) => [name, converted(tensors[prefix + name], own[name])]),
  );
  return prepareState(own, state, {
    op: file,
    network: network.constructor.name,
    strict,
    isIgnored: () => true,
    sameDType: true,
    error: CheckpointError,
  });
}

const HALVES: readonly DType[] = ['float16', 'bfloat16'];
const INTEGERS: readonly DType[] = ['int8', 'uint16', 'uint32', 'int64'];

/** A tensor in the dtype of the network, if its own is another one that files have and all fits exactly. */
function converted(found: Tensor, { dtype }: Tensor): Tensor {
  const isFloat = HALVES.includes(found.dtype) && (dtype === 'float32' || dtype === 'float64');
  const isInteger =
    INTEGERS.includes(found.dtype) &&
    dtype === 'int32' &&
    found.data.every((value) => (value | 0) === value);
  return isFloat || isInteger ? cast(found, dtype) : found;
}

/** What to put before the network's names to find them; '' if they are there as they are. */
function commonPrefix(own: readonly string[], found: readonly string[]): string {
  const names = new Set(found);
  if (own.length === 0 || own.some((name) => names.has(name))) return '';
  const candidates = found.filter((name) => name.endsWith(`.${own[0]}`));
  const prefixes = candidates.map((name) => name.slice(0, -own[0].length));
  return prefixes.find((prefix) => own.every((name) => names.has(prefix + name))) ?? '';
}
