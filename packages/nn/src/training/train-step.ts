import { mul, type Tensor, tidy, ValueError } from '@firelight/tensor';
import type { Module } from '../module.ts';
import { clipGradNorm } from '../optimizers/clip-grad-norm.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { WeightAverage } from './weight-average.ts';

/** A loss function: logits and labels to one number. */
export interface LossFunction {
  forward(logits: Tensor, labels: Tensor): Tensor;
}

/** What a step trains, and how. */
export interface StepParts {
  readonly network: Module;
  readonly lossFn: LossFunction;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | null;
  /** Most that the norm of all gradients may be; null for no bound. */
  readonly clipNorm: number | null;
  /** Batches whose gradients make one step of the optimizer. */
  readonly accumulationSteps: number;
}

/** What a batch gave. */
export interface BatchResult {
  readonly loss: number;
  /** Learning rate of the step to which the batch belongs. */
  readonly learningRate: number;
  /** Whether every logit is 0, as after a last ReLU that has died. */
  readonly isDead: boolean;
}

/** Forward, backward and, when enough batches are gathered, a step of the optimizer. */
export class TrainStep {
  readonly #parts: StepParts;
  /** Batches whose gradients wait for the next step of the optimizer. */
  accumulated = 0;

  /** @throws ValueError if a number is out of its range */
  constructor(parts: StepParts) {
    const { clipNorm, accumulationSteps } = parts;
    if (clipNorm !== null && !(clipNorm > 0)) {
      throw new ValueError(`Model: clipNorm must be > 0, got ${clipNorm}`);
    }
    if (!Number.isInteger(accumulationSteps) || accumulationSteps < 1) {
      throw new ValueError(
        `Model: accumulationSteps must be an integer ≥ 1, got ${accumulationSteps}`,
      );
    }
    this.#parts = parts;
  }

  /** One batch. Where the loss is not finite, nothing is changed. */
  run(image: Tensor, label: Tensor): BatchResult {
    const { network, lossFn, optimizer, accumulationSteps } = this.#parts;
    const { learningRate } = optimizer;
    const result = tidy(() => {
      const logits = network.forward(image);
      const isDead = logits.array.data.every((logit) => logit === 0);
      const loss = lossFn.forward(logits, label);
      const value = loss.item();
      if (Number.isFinite(value)) {
        if (this.accumulated === 0) optimizer.zeroGrad();
        const factor = optimizer.lossScale / accumulationSteps;
        (factor === 1 ? loss : mul(loss, factor)).backward();
        this.accumulated++;
      }
      return { loss: value, learningRate, isDead };
    });
    if (this.accumulated === accumulationSteps) this.flush();
    return result;
  }

  /** Steps with the gradients gathered so far, if there are any. */
  flush(): void {
    if (this.accumulated === 0) return;
    const { network, optimizer, average, clipNorm } = this.#parts;
    if (clipNorm !== null) clipGradNorm(network.parameters(), clipNorm);
    optimizer.step();
    average?.update();
    this.accumulated = 0;
  }
}
