import {
  add,
  assign,
  div,
  type MomentumOptions,
  mean,
  momentumStep,
  mul,
  noGrad,
  sub,
  type Tensor,
  tidy,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { expectInteger, formatShape, quote } from '@firelight/tensor/extend';
import { expectNotNegative, expectPositive } from '../core/checks.ts';
import type { Module, StateDict } from '../module/module.ts';
import { isRegistered } from '../module/parameter-marks.ts';
import { expectFit } from '../module/state-dict.ts';
import {
  checkLearningRate,
  type LearningRate,
  type ParameterGroup,
  type Slot,
  slotsOf,
} from './groups.ts';
import { StepCounts } from './step-counts.ts';

/** Hyperparameters that all optimizers have. */
export interface OptimizerOptions {
  readonly learningRate: LearningRate;
  /** Factor of the L2 term added to the gradient; 0 by default. */
  readonly weightDecay?: number;
  /** What the loss was multiplied with to keep small gradients; 1 by default. */
  readonly lossScale?: number;
}

/** Base of optimizers: parameter groups, the count of steps, and the learning rate of each step. */
export abstract class Optimizer {
  protected readonly name: string;
  /** What the loss must be multiplied with before `backward`. */
  readonly lossScale: number;
  protected readonly slots: readonly Slot[];
  readonly #learningRate: LearningRate;
  /** What is kept for each slot from step to step, by name. */
  readonly #kept = new Map<string, readonly Tensor[]>();
  readonly #counts: StepCounts;
  #savesCounts = false;
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
    expectPositive(name, 'lossScale', lossScale);
    this.slots = slotsOf(name, parameters, { learningRate, weightDecay });
    this.#counts = new StepCounts(this.slots.length);
    this.#checkParameters();
  }

  #checkParameters(): void {
    const parameters = this.slots.map((slot) => slot.parameter);
    if (parameters.length === 0) throw new ValueError(`${this.name}: there are no parameters`);
    if (new Set(parameters).size !== parameters.length) {
      throw new ValueError(`${this.name}: a parameter is listed twice`);
    }
    const untrained = parameters.find((each) => !each.requiresGrad && !isRegistered(each));
    if (untrained !== undefined) {
      throw new ValueError(
        `${this.name}: a parameter of shape ${formatShape(untrained.shape)} lacks requiresGrad`,
      );
    }
  }

  /** What is trained, in the order of the groups; frozen parameters too, which `step` passes over. */
  get parameters(): readonly Tensor[] {
    return this.slots.map(({ parameter }) => parameter);
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

  /** All learning rates, where they were given as an array; null where they were not. */
  get learningRateArray(): Float32Array | null {
    const rates = this.#learningRate;
    return typeof rates === 'object' ? Float32Array.from(rates) : null;
  }

  /** One tensor of zeros for each slot, which is saved as `<name>.<name of the parameter>`. */
  protected keepForEach(name: string): readonly Tensor[] {
    const tensors = this.slots.map(({ parameter: { shape, dtype } }) => zeros(shape, { dtype }));
    this.#kept.set(name, tensors);
    return tensors;
  }

  /** Has `stepsOf` saved, as `steps.<name of the parameter>`, for a formula that needs it. */
  protected keepSteps(): void {
    this.#savesCounts = true;
  }

  /**
   * Steps that the parameter of slot `index` has taken, in `update` with the present one: those in
   * which it had a gradient. Other than `globalStep` this is what its moments have seen.
   */
  protected stepsOf(index: number): number {
    return this.#counts.of(index, this.#globalStep);
  }

  /** The names of the slots' parameters in a network. */
  #slotNames(network: Module): string[] {
    const names = new Map(network.namedParameters().map(([name, parameter]) => [parameter, name]));
    return this.slots.map(({ parameter }) => {
      const name = names.get(parameter);
      if (name !== undefined) return name;
      throw new ValueError(
        `${this.name}: a parameter of shape ${formatShape(parameter.shape)} is not in the ` +
          'network, so its state has no name',
      );
    });
  }

  /** The tensors kept from step to step, with their names in a checkpoint. */
  #namedState(names: readonly string[]): [name: string, kept: Tensor][] {
    return [...this.#kept].flatMap(([kind, tensors]) =>
      names.map((name, i): [string, Tensor] => [`${kind}.${name}`, tensors[i]]),
    );
  }

  /**
   * What the optimizer remembers of each parameter, as `moments.features.0.weight`, sharing memory
   * with it; of Adam, AdamW and SGD with dampening also the steps that each parameter has taken, as
   * int32 `steps.features.0.weight` `[1]`. The count of all steps is `globalStep`.
   *
   * @throws ValueError if a parameter is not of `network`
   */
  stateDict(network: Module): StateDict {
    const names = this.#slotNames(network);
    const kept = this.#namedState(names).map(([name, tensor]) => [name, tensor.detach()]);
    const counts = this.#savesCounts ? this.#counts.stateDict(names, this.#globalStep) : {};
    return { ...Object.fromEntries(kept), ...counts };
  }

  /**
   * Takes back what `stateDict` gave; other names are ignored. Nothing is changed if anything does
   * not fit.
   *
   * A state without any `steps.…`, as older versions saved it, is taken: each parameter then counts
   * as many steps as `restoreGlobalStep` is told.
   *
   * @throws ValueError with a name that is missing, or a number of steps that cannot be; ShapeError
   *   with the name and both shapes
   */
  loadStateDict(state: StateDict, network: Module): void {
    this.prepareStateDict(state, network)();
  }

  /** Checks all that `loadStateDict` would take back; what it returns does so, and cannot fail. */
  prepareStateDict(state: StateDict, network: Module): () => void {
    const names = this.#slotNames(network);
    const counts = StepCounts.read(this.name, this.#savesCounts ? state : {}, names);
    const pairs = this.#namedState(names).map(([name, target]) => {
      if (!Object.hasOwn(state, name)) {
        throw new ValueError(`${this.name}: the state lacks ${quote(name)}`);
      }
      const source = state[name];
      expectFit(this.name, name, source, target);
      return { target, source };
    });
    return () => {
      for (const { target, source } of pairs) assign(target, source);
      this.#counts.restore(counts);
    };
  }

  /**
   * Goes on counting steps, and taking learning rates, from `step`.
   *
   * @throws ValueError if it is not an integer ≥ 0
   */
  restoreGlobalStep(step: number): void {
    expectInteger(this.name, 'the global step', step, 0);
    this.#globalStep = step;
  }

  /** Forgets all gradients and gives their memory back; call it before each backward pass. */
  zeroGrad(): void {
    for (const { parameter } of this.slots) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  /** Updates every parameter that has a gradient and is not frozen. */
  step(): void {
    this.prepareStep()();
  }

  /**
   * Takes the learning rates of a step, which what it returns then takes, and cannot fail.
   *
   * @throws ValueError if there is no learning rate, or it is out of range
   */
  prepareStep(): () => void {
    const rates = this.slots.map((slot) => this.rateAt(slot.learningRate, slot.learningRateScale));
    return () => {
      this.#counts.begin(this.#globalStep);
      this.#globalStep++;
      tidy(() =>
        noGrad(() => {
          this.slots.forEach((slot, i) => {
            const { grad, requiresGrad } = slot.parameter;
            if (grad === null || !requiresGrad) return;
            this.#counts.add(i);
            this.update(slot, i, grad, rates[i]);
          });
        }),
      );
    };
  }

  /**
   * The gradient with its decay, centred if the group asks for it, and without the scale of the loss:
   * (grad + weightDecay · lossScale · w) / lossScale.
   */
  protected decayedGradient(slot: Slot, grad: Tensor): Tensor {
    const { parameter, weightDecay, gradCentralization } = slot;
    const { lossScale } = this;
    const decayed = weightDecay === 0 ? grad : add(grad, mul(parameter, weightDecay * lossScale));
    const axes = parameter.shape.map((_, axis) => axis).slice(1);
    const centered =
      gradCentralization && axes.length > 0
        ? sub(decayed, mean(decayed, axes, { keepDims: true }))
        : decayed;
    return lossScale === 1 ? centered : div(centered, lossScale);
  }

  /** The fused step of `momentumStep`, with the gradient as `decayedGradient` gives it. */
  protected stepWithMomentum(
    slot: Slot,
    velocity: Tensor,
    grad: Tensor,
    settings: Omit<MomentumOptions, 'weightDecay' | 'lossScale'>,
  ): void {
    const { parameter, weightDecay, gradCentralization } = slot;
    const [g, decay] = gradCentralization
      ? [this.decayedGradient(slot, grad), { weightDecay: 0, lossScale: 1 }]
      : [grad, { weightDecay, lossScale: this.lossScale }];
    momentumStep(parameter, velocity, g, { ...settings, ...decay });
  }

  /** Updates the parameter of slot `index`; what it makes on the way is released afterwards. */
  protected abstract update(slot: Slot, index: number, grad: Tensor, learningRate: number): void;

  /** The learning rate of the next step times a factor, as float32. */
  protected rateAt(learningRate: LearningRate, scale = 1): number {
    const step = this.#globalStep;
    if (typeof learningRate === 'number') return Math.fround(scale * learningRate);
    if (typeof learningRate === 'function') {
      const rate = learningRate(step);
      expectNotNegative(this.name, `learningRate of step ${step}`, rate);
      return Math.fround(scale * rate);
    }
    if (step >= learningRate.length) {
      throw new ValueError(
        `${this.name}: step ${step} is past the end of the learning rates (${learningRate.length}); ` +
          'make the array as long as the training',
      );
    }
    return Math.fround(scale * learningRate[step]);
  }
}
