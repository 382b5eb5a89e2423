import { type Tensor, ValueError } from '@firelight/tensor';
import { expectNotNegative } from '../core/checks.ts';

/** A number; one number for each step, in an array; or a function of the step, from 0 on. */
export type LearningRate = number | ArrayLike<number> | ((step: number) => number);

/** Parameters that share settings of their own. */
export interface ParameterGroup {
  readonly parameters: readonly Tensor[];
  /** The optimizer's if left out. */
  readonly learningRate?: LearningRate;
  /** The optimizer's if left out; it then applies to every parameter of the group. */
  readonly weightDecay?: number;
  /** Subtract from each gradient its mean over all axes but the first; false by default. */
  readonly gradCentralization?: boolean;
}

const GROUP_KEYS = ['parameters', 'learningRate', 'weightDecay', 'gradCentralization'];

export function toGroups(
  parameters: readonly Tensor[] | readonly ParameterGroup[],
): readonly ParameterGroup[] {
  const isGroup = (entry: Tensor | ParameterGroup): entry is ParameterGroup =>
    'parameters' in entry;
  const list: readonly (Tensor | ParameterGroup)[] = parameters;
  return list.length > 0 && list.every(isGroup)
    ? list
    : [{ parameters: parameters as readonly Tensor[] }];
}

export function checkGroup(name: string, group: ParameterGroup): void {
  const unknown = Object.keys(group).find((key) => !GROUP_KEYS.includes(key));
  if (unknown !== undefined) {
    throw new ValueError(
      `${name}: a parameter group has the unknown key '${unknown}'; known are ${GROUP_KEYS.join(', ')}`,
    );
  }
  if (group.parameters.length === 0) throw new ValueError(`${name}: there are no parameters`);
  if (group.learningRate !== undefined) checkLearningRate(name, group.learningRate);
  if (group.weightDecay !== undefined) expectNotNegative(name, 'weightDecay', group.weightDecay);
}

export function checkLearningRate(name: string, learningRate: LearningRate): void {
  if (typeof learningRate === 'function') return;
  const rates = typeof learningRate === 'number' ? [learningRate] : Array.from(learningRate);
  for (const rate of rates) expectNotNegative(name, 'learningRate', rate);
}
