import { memoryUsage } from '../core/memory.ts';

/** Tensors alive now and the bytes of their elements. */
export interface MemoryInfo {
  readonly tensors: number;
  readonly bytes: number;
}

/**
 * Counts live tensors, gradients and saved activations (tensors that share memory count once).
 *
 * What `tidy`, `backward` and `dispose` release is counted off at once; tensors that were simply
 * dropped are counted off when the garbage collector has found them, which needs a turn of the event
 * loop.
 */
export function memory(): MemoryInfo {
  const { arrays, bytes } = memoryUsage();
  return { tensors: arrays, bytes };
}
