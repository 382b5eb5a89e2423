import { warnOnConsole } from '../core/console.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';
import { LogFile, type LogOptions } from './log-file.ts';

const HEAD = 'epoch,step,global_step,loss,learning_rate\n';
const COLUMNS = HEAD.split(',').length;
const GLOBAL_STEP = 2;

/** The numbers of a row; null if it is none. */
function parseRow(line: string): number[] | null {
  const cells = line.split(',');
  const isRow =
    cells.length === COLUMNS &&
    cells.every((cell) => cell.trim() !== '' && Number.isFinite(Number(cell)));
  return isRow ? cells.map(Number) : null;
}

/**
 * Writes a row for each step to a CSV file. A resumed training drops the rows behind its checkpoint,
 * with a warning those that cannot be read, and goes on; another one begins the file anew.
 */
export class CSVLogger implements Callback {
  readonly #file: LogFile;
  readonly #warn: (text: string) => void;

  /** @param path its folder is made if it is not there */
  constructor(path: string, { warn = warnOnConsole }: LogOptions = {}) {
    this.#file = new LogFile(path);
    this.#warn = warn;
  }

  async onTrainBegin({ globalStep }: TrainingContext): Promise<void> {
    if (globalStep === 0) return this.#file.begin(HEAD);
    const keeps = (row: readonly number[]): boolean => row[GLOBAL_STEP] <= globalStep;
    return this.#file.resume(HEAD, parseRow, keeps, this.#warn);
  }

  onStepEnd({ epoch, step, globalStep, loss, learningRate }: TrainingContext): Promise<void> {
    return this.#file.append([epoch, step, globalStep, loss, learningRate].join(','));
  }
}
