import { ValueError } from '@firelight/tensor';
import { expectInteger, printablePath, systemReason } from '@firelight/tensor/extend';
import { removeLeftovers } from '../checkpoint/atomic-write.ts';
import { saveCheckpoint } from '../checkpoint/checkpoint.ts';
import {
  bestName,
  checkpointName,
  latestFirst,
  rerunOf,
  unusedPrefix,
} from '../checkpoint/names.ts';
import { expectPositive } from '../core/checks.ts';
import { CheckpointError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import { finite, integer, namePart, nullable, object } from '../core/schema.ts';
import { isAbove } from '../metrics/compare.ts';
import type { Callback, TrainingContext } from '../training/callback.ts';

/** When and where checkpoints are saved, and which are kept. */
export interface ModelCheckpointOptions {
  /** Default: the current directory. It is made if it is not there. */
  readonly directory?: string;
  /** Beginning of the file names; default `'CKP'`. */
  readonly prefix?: string;
  /** Saves every so many steps; default 1, or never with `saveCheckpointSeconds`. */
  readonly saveCheckpointSteps?: number;
  /** Saves at the first step after so many seconds; `saveCheckpointSteps` overrides it. */
  readonly saveCheckpointSeconds?: number;
  /** How many of this run are kept, the latest ones; default 5. */
  readonly keepCheckpointMax?: number;
  /**
   * Keeps also the best by a metric of the validation, as `<prefix>-best.safetensors`; NaN is never
   * the best.
   */
  readonly keepBest?: { readonly metric: string; readonly mode: 'min' | 'max' };
  /** Strings to keep in each file, such as the run's configuration. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** @deprecated Use `ModelCheckpointOptions`. */
export type CheckpointConfig = ModelCheckpointOptions;

/** What a resumed training needs to know of the saving before. */
const STATE = object({ prefix: namePart, lastSaved: integer(0), best: nullable(finite) });

/**
 * Saves the whole state of the training as `<prefix>-<epoch>_<step in epoch>.safetensors`: every so
 * many steps or seconds, and once more at the end if the last step was not saved.
 *
 * A new run in a folder with checkpoints of the prefix writes `<prefix>_1-…`, then `<prefix>_2-…`,
 * and leaves those of earlier runs alone. A resumed training goes on with its prefix, if that is
 * `prefix` or `prefix_n`; with another one in its options, it begins as a new run does.
 *
 * @see MindSpore, `ModelCheckpoint` and `CheckpointConfig`
 */
export class ModelCheckpoint implements Callback {
  readonly name = 'ModelCheckpoint';
  readonly runsLast = true;
  readonly #config: ModelCheckpointOptions;
  readonly #directory: string;
  readonly #basePrefix: string;
  readonly #everySteps: number | null;
  readonly #keepMax: number;
  #prefix: string | null = null;
  /** The step after which was saved last. */
  #lastSaved = 0;
  #lastTime = performance.now();
  #best: number | null = null;

  /** @throws ValueError if a number is out of its range, or the prefix no part of a file name */
  constructor(config: ModelCheckpointOptions = {}) {
    const { directory = '.', prefix = 'CKP', keepCheckpointMax = 5 } = config;
    const { saveCheckpointSeconds } = config;
    const saveCheckpointSteps =
      config.saveCheckpointSteps ?? (saveCheckpointSeconds === undefined ? 1 : undefined);
    const counts = { saveCheckpointSteps, keepCheckpointMax };
    for (const [name, count] of Object.entries(counts)) {
      if (count !== undefined) expectInteger('ModelCheckpoint', name, count, 1);
    }
    if (saveCheckpointSeconds !== undefined) {
      expectPositive('ModelCheckpoint', 'saveCheckpointSeconds', saveCheckpointSeconds);
    }
    namePart(prefix, 'ModelCheckpoint: prefix');
    this.#config = config;
    this.#directory = directory;
    this.#basePrefix = prefix;
    this.#everySteps = saveCheckpointSteps ?? null;
    this.#keepMax = keepCheckpointMax;
  }

  async onTrainBegin(context: TrainingContext): Promise<void> {
    await removeLeftovers(this.#directory, this.#basePrefix);
    this.#lastTime = performance.now();
    this.#lastSaved = context.globalStep;
    if (context.globalStep > 0 && this.#prefix !== null) return;
    this.#prefix = unusedPrefix(await this.#files(), this.#basePrefix);
    this.#best = null;
  }

  async onStepEnd(context: TrainingContext): Promise<void> {
    if (this.#isDue(context.globalStep)) await this.#saveNumbered(context);
  }

  #isDue(globalStep: number): boolean {
    if (this.#everySteps !== null) return globalStep >= this.#lastSaved + this.#everySteps;
    const seconds = (performance.now() - this.#lastTime) / 1000;
    return seconds >= (this.#config.saveCheckpointSeconds ?? Number.POSITIVE_INFINITY);
  }

  async onEpochEnd(context: TrainingContext): Promise<void> {
    const { keepBest } = this.#config;
    if (keepBest === undefined) return;
    const { metric, mode } = keepBest;
    const value = context.metrics?.[metric];
    if (typeof value !== 'number') {
      const names = Object.keys(context.metrics ?? {}).join(', ') || 'none';
      throw new ValueError(
        `ModelCheckpoint: keepBest needs the number '${metric}' from the validation, which gave: ` +
          `${names}; pass validation to train, and the metric to Model`,
      );
    }
    const sign = mode === 'max' ? 1 : -1;
    const best = this.#best === null ? Number.NEGATIVE_INFINITY : this.#best * sign;
    if (!isAbove(value * sign, best)) return;
    this.#best = value;
    await this.#save(context, bestName(this.#prefix ?? this.#basePrefix));
  }

  async onTrainEnd(context: TrainingContext): Promise<void> {
    if (context.globalStep > this.#lastSaved) await this.#saveNumbered(context);
  }

  async #saveNumbered(context: TrainingContext): Promise<void> {
    const { epoch, step, globalStep } = context;
    this.#lastSaved = globalStep;
    this.#lastTime = performance.now();
    await this.#save(context, checkpointName(this.#prefix ?? this.#basePrefix, epoch, step));
    await this.#removeOldest();
  }

  async #save(context: TrainingContext, name: string): Promise<void> {
    const { join } = nodeModule('node:path');
    await saveCheckpoint(context.snapshot(), join(this.#directory, name), this.#config.metadata);
  }

  /** Only after the new one is there, so that there is always one. */
  async #removeOldest(): Promise<void> {
    const { unlink } = nodeModule('node:fs/promises');
    const { join } = nodeModule('node:path');
    const prefix = this.#prefix ?? this.#basePrefix;
    const own = latestFirst(await this.#files(), prefix).filter((file) => file.prefix === prefix);
    for (const { name } of own.slice(this.#keepMax)) {
      const path = join(this.#directory, name);
      await unlink(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return; // Another process was faster.
        throw new CheckpointError(
          `${printablePath(path)}: cannot be removed to keep ${this.#keepMax} checkpoints: ` +
            `${systemReason(error)}; remove it or raise keepCheckpointMax`,
          { cause: error },
        );
      });
    }
  }

  async #files(): Promise<string[]> {
    const { readdir } = nodeModule('node:fs/promises');
    return readdir(this.#directory).catch(() => []);
  }

  state(): ReturnType<typeof STATE> {
    return {
      prefix: this.#prefix ?? this.#basePrefix,
      lastSaved: this.#lastSaved,
      best: this.#best,
    };
  }

  /** @throws ValueError if `state` is not what `state()` gives */
  restore(state: unknown): void {
    const { prefix, lastSaved, best } = STATE(state, this.name);
    // A prefix of others would have their files removed as the oldest of ours.
    this.#prefix = rerunOf(prefix, this.#basePrefix) === null ? null : prefix;
    this.#lastSaved = lastSaved;
    this.#best = best;
  }
}
