import { quoteSome, sameShape } from '@firelight/tensor/extend';
import { type PickleDict, PickleTuple, type PickleValue } from '@firelight/tensor/formats';
import type { OptimizerGroup, OptimizerSetting } from '../../checkpoint/snapshot.ts';
import { PickledTensor, textOf } from './values.ts';

/** An optimizer of a file, with tensors that are still to be read. */
export interface PickledOptimizer {
  /** By the names that our optimizers have for them; a number where a parameter counts steps. */
  readonly state: ReadonlyMap<string, PickledTensor | number>;
  /** Names in `state` that start at zero, and the tensors whose shapes they have. */
  readonly zeros: ReadonlyMap<string, PickledTensor>;
  readonly groups: readonly OptimizerGroup[];
}

/** What PyTorch calls the state of a parameter, and what our optimizers call it. */
export const OUR_NAMES: Readonly<Record<string, readonly string[]>> = {
  momentum_buffer: ['velocity', 'moments'],
  exp_avg: ['moment1'],
  exp_avg_sq: ['moment2'],
  square_avg: ['mean_square'],
  grad_avg: ['mean_gradient'],
  step: ['steps'],
};

/** Buffers of PyTorch's layers, which an optimizer does not count among the parameters. */
const BUFFER = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/**
 * The state of an optimizer of PyTorch, which numbers parameters in their order; null if it is none. The
 * names are those of the weights, where each state has the shape of its weight, else the numbers.
 */
export function optimizerOf(
  dict: PickleDict,
  weights: ReadonlyMap<string, PickledTensor>,
  notes: string[],
): PickledOptimizer | null {
  const [states, groups] = [dict.get('state'), dict.get('param_groups')];
  if (!(states instanceof Map) || !Array.isArray(groups)) {
    notes.push('left out: the optimizer, which has no state and param_groups as PyTorch has them');
    return null;
  }
  if (!areFew(groups)) {
    notes.push('left out: the optimizer, whose groups have too many parameters or settings');
    return null;
  }
  const numbers = groups.map(numbersOf);
  const parameters = [...weights].filter(([name]) => !BUFFER.test(name));
  const isNamed = areNamed(states, numbers.flat(), parameters);
  if (!isNamed) {
    notes.push(
      "the optimizer's parameters do not fit the weights in their order, so they have numbers",
    );
  }
  const nameOf = (number: number): string => (isNamed ? parameters[number][0] : String(number));
  const state = new Map<string, PickledTensor | number>();
  const zeros = new Map<string, PickledTensor>();
  const kept = new Set<string>();
  const left = new Set<string>();
  for (const number of numbers.flat()) {
    const own = states.get(number);
    if (!(own instanceof Map)) continue;
    for (const [key, ours] of Object.entries(OUR_NAMES)) {
      const value = own.get(key);
      const isState =
        value instanceof PickledTensor || (key === 'step' && typeof value === 'number');
      if (!isState) continue;
      for (const name of ours) {
        state.set(`${name}.${nameOf(number)}`, value);
        if (name !== 'steps') kept.add(name);
      }
    }
    for (const [key, value] of own.size <= MOST_SETTINGS ? own : []) {
      if (value !== null && !Object.hasOwn(OUR_NAMES, key)) left.add(String(key));
    }
  }
  const hasSteps = [...state.keys()].some((name) => name.startsWith('steps.'));
  // A parameter that never had a gradient has no state yet; ours begin at zero.
  for (const [name, weight] of isNamed ? parameters : []) {
    for (const kind of kept) {
      if (!state.has(`${kind}.${name}`)) zeros.set(`${kind}.${name}`, weight);
    }
    if (hasSteps && !state.has(`steps.${name}`)) state.set(`steps.${name}`, 0);
  }
  if (left.size > 0) notes.push(`left out of the optimizer's state: ${quoteSome([...left])}`);
  return { state, zeros, groups: groups.map((group, i) => groupOf(group, numbers[i].map(nameOf))) };
}

/** More of them no network has, and one list may stand in many groups. */
const [MOST_PARAMETERS, MOST_GROUPS, MOST_SETTINGS] = [1_000_000, 10_000, 64];

function areFew(groups: readonly PickleValue[]): boolean {
  if (groups.length > MOST_GROUPS) return false;
  const dicts = groups.filter((group) => group instanceof Map);
  const lengths = dicts.map((group) => {
    const list = group.get('params');
    return Array.isArray(list) ? list.length : 0;
  });
  const parameters = lengths.reduce((sum, length) => sum + length, 0);
  return parameters <= MOST_PARAMETERS && dicts.every(({ size }) => size <= MOST_SETTINGS);
}

/** The numbers of the parameters of a group. */
function numbersOf(group: PickleValue): number[] {
  const list = group instanceof Map ? group.get('params') : null;
  return Array.isArray(list) ? list.filter((item) => typeof item === 'number') : [];
}

/** Whether the numbers are those of all parameters, and each state has its parameter's shape. */
function areNamed(
  states: PickleDict,
  numbers: readonly number[],
  parameters: readonly (readonly [string, PickledTensor])[],
): boolean {
  const distinct = new Set(numbers);
  const areAll = numbers.length === parameters.length && distinct.size === numbers.length;
  return (
    areAll &&
    numbers.every((number) => {
      const own = states.get(number);
      if (number < 0 || number >= parameters.length) return false;
      if (!(own instanceof Map)) return true;
      return Object.keys(OUR_NAMES).every((key) => {
        const value = own.get(key);
        const hasShape = key !== 'step' && value instanceof PickledTensor;
        return !hasShape || sameShape(value.shape, parameters[number][1].shape);
      });
    })
  );
}

function groupOf(group: PickleValue, parameters: readonly string[]): OptimizerGroup {
  const settings: Record<string, OptimizerSetting> = Object.create(null);
  for (const [key, value] of group instanceof Map ? group : []) {
    const setting = key === 'params' ? undefined : settingOf(value);
    if (setting !== undefined) settings[String(key)] = setting;
  }
  return { parameters, settings };
}

function settingOf(value: PickleValue): OptimizerSetting | undefined {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  const items = value instanceof PickleTuple ? value.items : value;
  if (Array.isArray(items)) {
    return items.length <= MOST_SETTINGS && items.every((item) => typeof item === 'number')
      ? items
      : undefined;
  }
  return textOf(value) ?? undefined;
}
