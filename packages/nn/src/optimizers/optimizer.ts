import { formatShape, type Tensor, ValueError } from '@firelight/tensor';
import { isDecayed } from '../decay.ts';

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

export interface OptimizerOptions {
  readonly learningRate: LearningRate;
  /** Factor of the L2 term added to the gradient; 0 by default. */
  readonly weightDecay?: number;
  /** What the loss was multiplied with to keep small gradients; 1 by default. */
  readonly lossScale?: number;
}

/** One parameter with the settings that apply to it. */
export interface Slot {
  readonly parameter: Tensor;
  readonly learningRate: LearningRate;
  readonly weightDecay: number;
  readonly gradCentralization: boolean;
}

const GROUP_KEYS = ['parameters', 'learningRate', 'weightDecay', 'gradCentralization'];

/** Base of optimizers: parameter groups, the count of steps, and the learning rate of each step. */
export abstract class Optimizer {
  protected readonly name: string;
  protected readonly lossScale: number;
  protected readonly slots: readonly Slot[];
  readonly #learningRate: LearningRate;
  #globalStep = 0;

  /** @throws ValueError for empty or duplicate parameters, unknown group keys, numbers out of range */
  constructor(
    name: string,
    parameters: readonly Tensor[] | readonly ParameterGroup[],
    { learningRate, weightDecay = 0, lossScale = 1 }: OptimizerOptions,
  ) {
    this.name = name;
    this.lossScale = lossScale;
    this.#learningRate = learningRate;
    checkLearningRate(name, learningRate);
    expectNotNegative(name, 'weightDecay', weightDecay);
    if (!(lossScale > 0)) throw new ValueError(`${name}: lossScale must be > 0, got ${lossScale}`);
    this.slots = toGroups(parameters).flatMap((group) => {
      checkGroup(name, group);
      return group.parameters.map((parameter) => ({
        parameter,
        learningRate: group.learningRate ?? learningRate,
        weightDecay: group.weightDecay ?? (isDecayed(parameter) ? weightDecay : 0),
        gradCentralization: group.gradCentralization ?? false,
      }));
    });
    this.#checkParameters();
  }

  #checkParameters(): void {
    const parameters = this.slots.map((slot) => slot.parameter);
    if (parameters.length === 0) throw new ValueError(`${this.name}: there are no parameters`);
    if (new Set(parameters).size !== parameters.length) {
      throw new ValueError(`${this.name}: a parameter is listed twice`);
    }
    const untrained = parameters.find((parameter) => !parameter.requiresGrad);
    if (untrained !== undefined) {
      throw new ValueError(
        `${this.name}: a parameter of shape ${formatShape(untrained.shape)} lacks requiresGrad`,
      );
    }
  }

  /** Steps taken so far. */
  get globalStep(): number {
    return this.#globalStep;
  }

  /**
   * The learning rate that the next step will use (of the optimizer, not of groups with their own).
   *
   * @throws ValueError if the array of learning rates has no element for it
   */
  get learningRate(): number {
    return this.rateAt(this.#learningRate);
  }

  /** Forgets all gradients and gives their memory back; call it before each backward pass. */
  zeroGrad(): void {
    for (const { parameter } of this.slots) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    const rates = this.slots.map((slot) => this.rateAt(slot.learningRate));
    this.#globalStep++;
    this.slots.forEach((slot, i) => {
      const { grad } = slot.parameter;
      if (grad !== null) this.update(slot, i, grad, rates[i]);
    });
  }

  /** Updates the parameter of slot `index`. */
  protected abstract update(slot: Slot, index: number, grad: Tensor, learningRate: number): void;

  /** The learning rate of the next step, as float32. */
  protected rateAt(learningRate: LearningRate): number {
    const step = this.#globalStep;
    if (typeof learningRate === 'number') return Math.fround(learningRate);
    if (typeof learningRate === 'function') return Math.fround(learningRate(step));
    if (step >= learningRate.length) {
      throw new ValueError(
        `${this.name}: step ${step} is past the end of the learning rates (${learningRate.length}); ` +
          'make the array as long as the training',
      );
    }
    return Math.fround(learningRate[step]);
  }
}

function toGroups(
  parameters: readonly Tensor[] | readonly ParameterGroup[],
): readonly ParameterGroup[] {
  const isGroup = (entry: Tensor | ParameterGroup): entry is ParameterGroup =>
    'parameters' in entry;
  const list: readonly (Tensor | ParameterGroup)[] = parameters;
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
  if (group.weightDecay !== undefined) expectNotNegative(name, 'weightDecay', group.weightDecay);
}

function checkLearningRate(name: string, learningRate: LearningRate): void {
  if (typeof learningRate === 'function') return;
  const rates = typeof learningRate === 'number' ? [learningRate] : Array.from(learningRate);
  for (const rate of rates) expectNotNegative(name, 'learningRate', rate);
}

export function expectNotNegative(name: string, option: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new ValueError(`${name}: ${option} must be a number ≥ 0, got ${value}`);
  }
}
