import type { BatchArrays } from '../batch-transforms/batch-transform.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Job } from './batch-maker.ts';

/** What a worker thread makes batches of. */
export interface WorkerSetup {
  readonly dataset: Recipe;
  readonly transform: Recipe | null;
  readonly batchTransforms: readonly Recipe[];
}

/** Memory of one batch, shared between threads where possible, else transferred back and forth. */
export interface BatchMemory {
  readonly pixels: ArrayBufferLike;
  readonly labels: ArrayBufferLike;
}

/** A batch for a worker thread to make, in `memory` if it is large enough. */
export interface BatchRequest {
  readonly id: number;
  readonly job: Job;
  readonly memory: BatchMemory | null;
}

/** The batch, whose arrays lie at the start of `memory`; or why there is none. */
export type Reply =
  | {
      readonly id: number;
      readonly memory: BatchMemory;
      readonly imageShape: BatchArrays['imageShape'];
      readonly labelShape: BatchArrays['labelShape'];
      readonly hasProbabilities: boolean;
    }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

/** What must be handed over with a message: memory that is not shared. */
export function transferOf(memory: BatchMemory | null): ArrayBuffer[] {
  if (memory === null) return [];
  return [memory.pixels, memory.labels].filter((buffer) => buffer instanceof ArrayBuffer);
}
