import type { StateDict } from '../module/module.ts';

/** Tensors by name and strings by name: what a checkpoint file holds. */
export interface Snapshot {
  readonly tensors: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}
