import type { Callback, TrainingContext } from '../training/callback.ts';
import { LogFile } from './log-file.ts';

/**
 * Writes JSON lines: `{"type":"step",…}` for each step, with loss and learning rate, and
 * `{"type":"epoch",…}` for each epoch, with the metrics of the validation. A resumed training drops
 * the lines behind its checkpoint and goes on; another one begins the file anew.
 */
export class MetricsLog implements Callback {
  readonly #file: LogFile;

  /** @param path its folder is made if it is not there */
  constructor(path: string) {
    this.#file = new LogFile(path);
  }

  async onTrainBegin({ globalStep, step }: TrainingContext): Promise<void> {
    if (globalStep === 0) return this.#file.begin('');
    return this.#file.resume('', (line) => {
      const row = JSON.parse(line) as { type: string; global_step: number };
      if (row.global_step < globalStep) return true;
      // The end of an epoch belongs to what is done only if the next epoch has begun.
      return row.global_step === globalStep && (row.type === 'step' || step === 0);
    });
  }

  onStepEnd({ epoch, step, globalStep, loss, learningRate }: TrainingContext): Promise<void> {
    const row = { type: 'step', epoch, step, global_step: globalStep, loss };
    return this.#file.append(JSON.stringify({ ...row, learning_rate: learningRate }));
  }

  onEpochEnd({ epoch, globalStep, metrics }: TrainingContext): Promise<void> {
    const row = { type: 'epoch', epoch, global_step: globalStep, metrics };
    return this.#file.append(JSON.stringify(row));
  }
}
