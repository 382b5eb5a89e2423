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
}
