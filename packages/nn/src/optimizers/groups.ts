import { type Tensor, ValueError } from '@firelight/tensor';
import { expectThat, quote } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import type { Module } from '../module/module.ts';
import type { NamePattern } from '../module/name-patterns.ts';
import { isDecayed } from '../module/parameter-marks.ts';

/** A number; one number for each step, in an array; or a function of the step, from 0 on. */
export type LearningRate = number | ArrayLike<number> | ((step: number) => number);

/** Settings that some parameters have of their own. */
export interface GroupSettings {
  /** The optimizer's if left out. */
  readonly learningRate?: LearningRate;
  /** Factor of the learning rate in each step, so that a schedule goes on applying; 1 by default. */
  readonly learningRateScale?: number;
  /** The optimizer's if left out; it then applies to every parameter of the group. */
  readonly weightDecay?: number;
  /** Subtract from each gradient its mean over all axes but the first; false by default. */
  readonly gradCentralization?: boolean;
}

/** Parameters that share settings of their own. */
export interface ParameterGroup extends GroupSettings {
  readonly parameters: readonly Tensor[];
}

/** Settings for the parameters that a pattern names. */
export interface PatternGroup extends GroupSettings {
  /** As `Module.namedParameters` takes it: `'classifier.**'`, `'**.bias'`, `/norm/`. */
  readonly pattern: NamePattern;
}

/** One parameter with the settings that apply to it. */
export interface Slot {
  readonly parameter: Tensor;
  readonly learningRate: LearningRate;
  readonly learningRateScale: number;
  readonly weightDecay: number;
  readonly gradCentralization: boolean;
}

const GROUP_KEYS = [
  'parameters',
  'learningRate',
  'learningRateScale',
  'weightDecay',
  'gradCentralization',
];

/**
 * All parameters of a network in groups for an optimizer: one for each pattern, in their order, and last
 * one without settings of those that no pattern names, if there are any. A parameter that several
 * patterns name belongs to the first of them.
 *
 * @throws ValueError for a pattern that names nothing, with the names that are nearest, or nothing that
 *   those before it left
 * @see MindSpore, `group_params` of optimizers; PyTorch, "Per-parameter options" of torch.optim
 */
export function parameterGroups(
  network: Module,
  groups: readonly PatternGroup[],
): ParameterGroup[] {
  expectThat(Array.isArray(groups), 'parameterGroups', 'groups', 'a list', groups);
  const left = new Set(network.parameters());
  const named = groups.map(({ pattern, ...settings }): ParameterGroup => {
    const parameters = network.parameters(pattern).filter((each) => left.delete(each));
    if (parameters.length > 0) return { ...settings, parameters };
    throw new ValueError(
      `parameterGroups: all that ${typeof pattern === 'string' ? quote(pattern) : pattern} names ` +
        'belongs to patterns before it; put it first, or leave it out',
    );
  });
  return left.size === 0 ? named : [...named, { parameters: [...left] }];
}

/** The parameters of all groups, with the optimizer's settings where a group has none of its own. */
export function slotsOf(
  name: string,
  parameters: readonly Tensor[] | readonly ParameterGroup[],
  { learningRate, weightDecay }: { learningRate: LearningRate; weightDecay: number },
): Slot[] {
  return toGroups(name, parameters).flatMap((group) => {
    checkGroup(name, group);
    return group.parameters.map((parameter) => ({
      parameter,
      learningRate: group.learningRate ?? learningRate,
      learningRateScale: group.learningRateScale ?? 1,
      weightDecay: group.weightDecay ?? (isDecayed(parameter) ? weightDecay : 0),
      gradCentralization: group.gradCentralization ?? false,
    }));
  });
}

function toGroups(
  name: string,
  parameters: readonly Tensor[] | readonly ParameterGroup[],
): readonly ParameterGroup[] {
  const isGroup = (entry: Tensor | ParameterGroup): entry is ParameterGroup =>
    'parameters' in entry;
  const list: readonly (Tensor | ParameterGroup)[] = parameters;
  const isNamed = list.some((entry) => 'pattern' in entry);
  if (isNamed) {
    throw new ValueError(
      `${name}: a pattern needs the network whose parameters it names; pass ` +
        'parameterGroups(network, groups)',
    );
  }
  return list.length > 0 && list.every(isGroup)
    ? list
    : [{ parameters: parameters as readonly Tensor[] }];
}

function checkGroup(name: string, group: ParameterGroup): void {
  const unknown = Object.keys(group).find((key) => !GROUP_KEYS.includes(key));
  if (unknown !== undefined) {
    throw new ValueError(
      `${name}: a parameter group has the unknown key '${unknown}'; known are ${GROUP_KEYS.join(', ')}`,
    );
  }
  if (group.parameters.length === 0) throw new ValueError(`${name}: there are no parameters`);
  if (group.learningRate !== undefined) checkLearningRate(name, group.learningRate);
  if (group.learningRateScale !== undefined) {
    expectNotNegative(name, 'learningRateScale', group.learningRateScale);
  }
  if (group.weightDecay !== undefined) expectNotNegative(name, 'weightDecay', group.weightDecay);
}

export function checkLearningRate(name: string, learningRate: LearningRate): void {
  if (typeof learningRate === 'function') return;
  const rates = typeof learningRate === 'number' ? [learningRate] : Array.from(learningRate);
  for (const rate of rates) expectNotNegative(name, 'learningRate', rate);
}
