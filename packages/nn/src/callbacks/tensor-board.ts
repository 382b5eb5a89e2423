import { nodeModule } from '../core/node.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';
import { type Scalar, scalarRecord, startRecord, versionRecord } from './event-file.ts';
import { appendTo } from './log-file.ts';

const EVENT_FILE = /^events\.out\.tfevents\.(\d+)\./;

/**
 * Writes an event file that TensorBoard reads: `loss` and `learning_rate` of each step, and the
 * numbers of the validation after each epoch. A resumed training adds another file to the folder; it
 * tells TensorBoard to forget the steps behind the checkpoint, which come again. So does another
 * training in the folder with all steps.
 */
export class TensorBoard implements Callback {
  readonly #directory: string;
  #path = '';

  /** @param directory is made if it is not there */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async onTrainBegin(context: TrainingContext): Promise<void> {
    const { mkdir, readdir } = nodeModule('node:fs/promises');
    const { hostname } = nodeModule('node:os');
    const { join } = nodeModule('node:path');
    await mkdir(this.#directory, { recursive: true });
    const earlier = (await readdir(this.#directory))
      .map((name) => EVENT_FILE.exec(name)?.[1])
      .filter((seconds) => seconds !== undefined);
    // TensorBoard reads files in the order of their names, so this one must come last.
    const now = Date.now() / 1000;
    const last = earlier.reduce((most, seconds) => Math.max(most, Number(seconds)), 0);
    const seconds = Math.max(Math.floor(now), last + 1);
    this.#path = join(
      this.#directory,
      `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`,
    );
    await appendTo(this.#path, versionRecord(now));
    if (earlier.length > 0 || context.globalStep > 0) await this.#purge(context);
  }

  /** Makes TensorBoard forget what comes again. */
  async #purge(context: TrainingContext): Promise<void> {
    const { step, globalStep, loss } = context;
    // Within an epoch its end is yet to come, and with it a validation at the step that was saved.
    const isRepeated = step > 0 && Number.isFinite(loss);
    const first = isRepeated ? globalStep : globalStep + 1;
    await appendTo(this.#path, startRecord(Date.now() / 1000, first));
    if (isRepeated) await this.onStepEnd(context);
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

  #append(step: number, scalars: readonly Scalar[]): Promise<void> {
    return appendTo(this.#path, scalarRecord(Date.now() / 1000, step, scalars));
  }
}
