import type { Callback, TrainingContext } from '../training/callback.ts';
import { type Scalar, scalarRecord, versionRecord } from './event-file.ts';

/**
 * Writes an event file that TensorBoard reads: `loss` and `learning_rate` of each step, and the
 * numbers of the validation after each epoch. A resumed training adds another file to the folder,
 * which TensorBoard shows as one.
 */
export class TensorBoard implements Callback {
  readonly #directory: string;
  #path = '';

  /** @param directory is made if it is not there */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async onTrainBegin(): Promise<void> {
    const { mkdir, writeFile } = await import('node:fs/promises');
    const { hostname } = await import('node:os');
    const { join } = await import('node:path');
    const now = Date.now() / 1000;
    const name = `events.out.tfevents.${Math.floor(now)}.${hostname()}.${process.pid}`;
    this.#path = join(this.#directory, name);
    await mkdir(this.#directory, { recursive: true });
    await writeFile(this.#path, versionRecord(now));
  }

  onStepEnd({ globalStep, loss, learningRate }: TrainingContext): Promise<void> {
    return this.#append(globalStep, [
      { tag: 'loss', value: loss },
      { tag: 'learning_rate', value: learningRate },
    ]);
  }

  async onEpochEnd({ globalStep, metrics }: TrainingContext): Promise<void> {
    const scalars = Object.entries(metrics ?? {}).flatMap(([name, value]): Scalar[] =>
      typeof value === 'number' ? [{ tag: `validation/${name}`, value }] : [],
    );
    if (scalars.length > 0) await this.#append(globalStep, scalars);
  }

  async #append(step: number, scalars: readonly Scalar[]): Promise<void> {
    const { appendFile } = await import('node:fs/promises');
    await appendFile(this.#path, scalarRecord(Date.now() / 1000, step, scalars));
  }
}
