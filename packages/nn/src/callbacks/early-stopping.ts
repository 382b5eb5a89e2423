import { ValueError } from '@firelight/tensor';
import { expectInteger, expectThat } from '@firelight/tensor/extend';
import { finite, integer, nullable, object } from '../core/schema.ts';
import { isAbove } from '../metrics/compare.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';

/** What `EarlyStopping` watches, and how long it waits. */
export interface EarlyStoppingOptions {
  /** Metric of the validation; default `'loss'`. */
  readonly monitor?: string;
  /** Whether less or more is better; default: less for names with "loss", else more. */
  readonly mode?: 'min' | 'max';
  /** Epochs without improvement after which to stop; default 3. */
  readonly patience?: number;
  /** What an improvement must exceed; default 0. */
  readonly minDelta?: number;
}

const STATE = object({ best: nullable(finite), waited: integer(0) });

/** Ends the training when a metric of the validation stops improving; NaN is no improvement. */
export class EarlyStopping implements Callback {
  readonly name = 'EarlyStopping';
  readonly #monitor: string;
  readonly #sign: 1 | -1;
  readonly #patience: number;
  readonly #minDelta: number;
  #best: number | null = null;
  #waited = 0;

  /** @throws ValueError if patience is not an integer ≥ 1 or minDelta below 0 */
  constructor({ monitor = 'loss', mode, patience = 3, minDelta = 0 }: EarlyStoppingOptions = {}) {
    expectInteger('EarlyStopping', 'patience', patience, 1);
    expectThat(minDelta >= 0, 'EarlyStopping', 'minDelta', '≥ 0', minDelta);
    this.#monitor = monitor;
    this.#sign = (mode ?? (/loss/i.test(monitor) ? 'min' : 'max')) === 'max' ? 1 : -1;
    this.#patience = patience;
    this.#minDelta = minDelta;
  }

  onTrainBegin({ globalStep }: TrainingContext): void {
    if (globalStep > 0) return;
    this.#best = null;
    this.#waited = 0;
  }

  /** @throws ValueError if the validation gave no such number */
  onEpochEnd(context: TrainingContext): void {
    const value = context.metrics?.[this.#monitor];
    if (typeof value !== 'number') {
      const names = Object.keys(context.metrics ?? {}).join(', ') || 'none';
      throw new ValueError(
        `EarlyStopping: needs the number '${this.#monitor}' from the validation, which gave: ` +
          `${names}; pass validation to train, and the metric to Model`,
      );
    }
    if (this.#isImprovement(value)) {
      this.#best = value;
      this.#waited = 0;
      return;
    }
    this.#waited++;
    if (this.#waited >= this.#patience) {
      const what = this.#best === null ? 'been finite' : `improved on ${this.#best}`;
      context.requestStop(`${this.#monitor} has not ${what} for ${this.#waited} epochs`);
    }
  }

  #isImprovement(value: number): boolean {
    const best = this.#best === null ? Number.NEGATIVE_INFINITY : this.#best * this.#sign;
    return isAbove(value * this.#sign, best + this.#minDelta);
  }

  state(): { best: number | null; waited: number } {
    return { best: this.#best, waited: this.#waited };
  }

  /** @throws ValueError if `state` is not what `state()` gives */
  restore(state: unknown): void {
    const { best, waited } = STATE(state, this.name);
    this.#best = best;
    this.#waited = waited;
  }
}
