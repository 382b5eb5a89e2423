import type { Callback, TrainingContext } from '../training/callback.ts';
import { LogFile } from './log-file.ts';

const HEAD = 'epoch,step,global_step,loss,learning_rate\n';

/**
 * Writes a row for each step to a CSV file. A resumed training drops the rows behind its checkpoint
 * and goes on; another one begins the file anew.
 */
export class CSVLogger implements Callback {
  readonly #file: LogFile;

  /** @param path its folder is made if it is not there */
  constructor(path: string) {
    this.#file = new LogFile(path);
  }

  async onTrainBegin({ globalStep }: TrainingContext): Promise<void> {
    if (globalStep === 0) return this.#file.begin(HEAD);
    const isHead = (line: string): boolean => `${line}\n` === HEAD;
    return this.#file.resume(
      HEAD,
      (line) => isHead(line) || Number(line.split(',')[2]) <= globalStep,
    );
  }

  onStepEnd({ epoch, step, globalStep, loss, learningRate }: TrainingContext): Promise<void> {
    return this.#file.append([epoch, step, globalStep, loss, learningRate].join(','));
  }
}
