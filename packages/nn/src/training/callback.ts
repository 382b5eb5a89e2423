import type { Snapshot } from '../checkpoint/snapshot.ts';
import type { MetricValue } from '../metrics/metric.ts';
import type { Module } from '../module/module.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';

/** What a callback sees of a training; the values are those of the moment. */
export interface TrainingContext {
  readonly network: Module;
  readonly optimizer: Optimizer;
  /** The epoch, counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The step in the epoch, counted from 1; 0 before the first. */
  readonly step: number;
  /** Steps of an epoch; null where the data set does not say and the first epoch is not over. */
  readonly stepsPerEpoch: number | null;
  /** Steps since the training began, also before it was resumed. */
  readonly globalStep: number;
  /** Loss of the last step; NaN before the first. */
  readonly loss: number;
  /** Samples in the batch of the last step. */
  readonly batchSize: number;
  /** Learning rate that the last step used; NaN before the first. */
  readonly learningRate: number;
  /** What validation measured after the last epoch; null before that, or without validation. */
  readonly metrics: Readonly<Record<string, MetricValue>> | null;
  /** Ends the training after this step. The first reason counts. */
  requestStop(reason: string): void;
  /** All that an exact continuation from here needs; tensors share memory with the training. */
  snapshot(): Snapshot;
}

/** What a callback's methods return; a promise is awaited before the training goes on. */
type Done = void | Promise<void>;

/**
 * Something done while a network is trained. Callbacks run in the order of the list, except that
 * those with `runsLast` come after all others.
 */
export interface Callback {
  /** Names what `state` gives in a checkpoint; two callbacks with state need different names. */
  readonly name?: string;
  /** Whether it needs to see what the others have done, as one that saves them does. */
  readonly runsLast?: boolean;
  /** Before the first step, also of a training that is resumed. */
  onTrainBegin?(context: TrainingContext): Done;
  /** Before the first step of an epoch. */
  onEpochBegin?(context: TrainingContext): Done;
  /** Before each step. */
  onStepBegin?(context: TrainingContext): Done;
  /** After each step of the optimizer, with its loss. */
  onStepEnd?(context: TrainingContext): Done;
  /** After the last step of an epoch and the validation that follows it. */
  onEpochEnd?(context: TrainingContext): Done;
  /** After the last step of all, also where the training was stopped early; not after an error. */
  onTrainEnd?(context: TrainingContext): Done;
  /** What it must remember to go on after a resume; a value that survives JSON. */
  state?(): unknown;
  /** Takes back what `state` gave. It comes before `onTrainBegin`. */
  restore?(state: unknown): void;
}
