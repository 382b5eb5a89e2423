import { ValueError } from '@firelight/tensor';
import type { Module, StateDict } from '../module/module.ts';
import { Optimizer } from './optimizer.ts';

/** @throws ValueError unless they can take their steps together */
function expectParts(name: string, parts: readonly Optimizer[]): readonly Optimizer[] {
  const isRight =
    Array.isArray(parts) && parts.length > 0 && parts.every((each) => each instanceof Optimizer);
  if (!isRight) throw new ValueError(`${name}: takes a list of one or more optimizers`);
  const [{ lossScale }] = parts;
  const other = parts.find((each) => each.lossScale !== lossScale);
  if (other !== undefined) {
    throw new ValueError(
      `${name}: the optimizers must have one lossScale, as the loss has, got ${lossScale} and ` +
        `${other.lossScale}`,
    );
  }
  return parts;
}

/** Base of optimizers whose steps are those of others; these have all the parameters. */
export abstract class CombinedOptimizer extends Optimizer {
  readonly #parts: readonly Optimizer[];

  constructor(name: string, optimizers: readonly Optimizer[]) {
    const parts = expectParts(name, optimizers);
    const [first] = parts;
    super(
      name,
      parts.flatMap(({ parameters }) => parameters),
      { learningRate: () => first.learningRate, lossScale: first.lossScale },
    );
    this.#parts = parts;
  }

  override get globalStep(): number {
    return this.#parts[0].globalStep;
  }

  override get learningRateArray(): Float32Array | null {
    return this.#parts[0].learningRateArray;
  }

  override stateDict(network: Module): StateDict {
    const states = this.#parts.map((part) => part.stateDict(network));
    return Object.fromEntries([super.stateDict(network), ...states].flatMap(Object.entries));
  }

  override prepareStateDict(state: StateDict, network: Module): () => void {
    const commits = [
      super.prepareStateDict(state, network),
      ...this.#parts.map((part) => part.prepareStateDict(state, network)),
    ];
    return () => {
      for (const commit of commits) commit();
    };
  }

  override restoreGlobalStep(step: number): void {
    for (const part of this.#parts) part.restoreGlobalStep(step);
  }

  override prepareStep(): () => void {
    const steps = this.#parts.map((part) => part.prepareStep());
    return () => {
      for (const step of steps) step();
    };
  }

  protected update(): void {} // The parts do it.
}
