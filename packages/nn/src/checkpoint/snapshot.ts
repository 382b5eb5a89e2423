import type { StateDict } from '../module/module.ts';

/** Tensors by name and strings by name: what a checkpoint file holds. */
export interface Snapshot {
  readonly tensors: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What was read of a file. */
export interface FileContent extends Snapshot {
  /**
   * Whether another program wrote the file, or wrote it anew after Firelight: its weights can be
   * loaded, but no training goes on from it.
   */
  readonly isForeign?: boolean;
  /** What an optimizer kept beside the weights. */
  readonly optimizer?: OptimizerContent;
  /** Whose names the tensors have, where that is known: `'torchvision'`, `'mindspore'`, `'caffe'`. */
  readonly origin?: string;
  /** What was done to the names or left out, a sentence each: `"names begin with module., taken off"`. */
  readonly notes?: readonly string[];
}

/** The state of an optimizer as the file of another program has it. */
export interface OptimizerContent {
  /**
   * Tensors by the names that `Optimizer.stateDict` has for them, such as `moments.features.0.weight`;
   * `optimizer.loadStateDict(state, network)` takes them.
   */
  readonly state: StateDict;
  /** Groups of parameters with settings of their own. */
  readonly groups: readonly OptimizerGroup[];
}

/** Parameters with the same settings. */
export interface OptimizerGroup {
  /** Names of parameters, or their numbers where the file does not tell the names. */
  readonly parameters: readonly string[];
  /** Settings by the names of the program that wrote them, such as `lr` and `weight_decay`. */
  readonly settings: Readonly<Record<string, OptimizerSetting>>;
}

/** The value of an optimizer's setting. */
export type OptimizerSetting = boolean | number | string | null | readonly number[];
