import { warnOnConsole } from '../core/console.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';
import { LogFile, type LogOptions } from './log-file.ts';
import { type EpochRow, parseMetricsRow, type StepRow } from './metrics-rows.ts';

/**
 * Writes JSON lines: `{"type":"step",…}` for each step, with loss and learning rate, and
 * `{"type":"epoch",…}` for each epoch, with the metrics of the validation; `readMetricsLog` reads
 * them. A resumed training drops the lines behind its checkpoint, with a warning those that cannot
 * be read, and goes on; another one begins the file anew.
 */
export class MetricsLog implements Callback {
  readonly #file: LogFile;
  readonly #warn: (text: string) => void;

  /** @param path its folder is made if it is not there */
  constructor(path: string, { warn = warnOnConsole }: LogOptions = {}) {
    this.#file = new LogFile(path);
    this.#warn = warn;
  }

  async onTrainBegin({ globalStep, step }: TrainingContext): Promise<void> {
    if (globalStep === 0) return this.#file.begin('');
    const keeps = (row: StepRow | EpochRow): boolean =>
      row.global_step < globalStep ||
      // The end of an epoch belongs to what is done only if the next epoch has begun.
      (row.global_step === globalStep && (row.type === 'step' || step === 0));
    return this.#file.resume('', parseMetricsRow, keeps, this.#warn);
  }

  onStepEnd({ epoch, step, globalStep, loss, learningRate }: TrainingContext): Promise<void> {
    const row: StepRow = {
      type: 'step',
      epoch,
      step,
      global_step: globalStep,
      loss,
      learning_rate: learningRate,
    };
    return this.#file.append(JSON.stringify(row));
  }

  onEpochEnd({ epoch, globalStep, metrics }: TrainingContext): Promise<void> {
    const row: EpochRow = { type: 'epoch', epoch, global_step: globalStep, metrics };
    return this.#file.append(JSON.stringify(row));
  }
}
