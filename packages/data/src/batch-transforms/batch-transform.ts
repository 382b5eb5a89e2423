import { type Generator, ShapeError } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { type DefinedClass, defineClass, type Recipe } from '../core/recipe.ts';

/** A batch before it becomes tensors. */
export interface BatchArrays {
  /** Images in row-major order. */
  readonly pixels: Float32Array;
  /** `[N, C, H, W]`. */
  readonly imageShape: readonly [number, number, number, number];
  /** Class numbers, or probabilities of the classes. */
  readonly labels: Int32Array | Float32Array;
  /** `[N]`, or `[N, classes]`. */
  readonly labelShape: readonly number[];
}

/** One step from batch to batch; like a `Transform`, it draws from `generator` alone. */
export interface BatchTransform {
  /** The changed batch; its argument stays as it is. */
  apply(batch: BatchArrays, generator: Generator): BatchArrays;
  /** How a worker thread makes an equal one. */
  recipe?(): Recipe;
}

/** The class of a batch transform, as `defineTransform` makes that of a transform. */
export function defineBatchTransform<
  Args extends readonly unknown[],
  Members extends BatchTransform,
>(name: string, make: (...args: Args) => Members, module?: string): DefinedClass<Args, Members> {
  return defineClass(name, make, module);
}

/** How much samples are mixed. */
export interface MixOptions {
  /** α of Beta(α, α), from which the share of a sample is drawn; 1, which is uniform, by default. */
  readonly alpha?: number;
}

/** @throws ValueError unless alpha is finite and above 0 */
export function readAlpha(op: string, options: MixOptions): number {
  const { alpha = 1 } = expectOptions(op, options);
  expectThat(Number.isFinite(alpha) && alpha > 0, op, 'alpha', 'finite and above 0', alpha);
  return alpha;
}

/**
 * The number of classes of labels that must be probabilities.
 *
 * @throws ShapeError if they are class numbers
 */
export function classesOf(op: string, { labelShape }: BatchArrays): number {
  if (labelShape.length !== 2) {
    throw new ShapeError(
      `${op}: labels must be probabilities [N, classes], got [${labelShape.join(', ')}]; put ` +
        `OneHot before ${op}`,
    );
  }
  return labelShape[1];
}

/** `weight · values[i] + (1 − weight) · values[partner(i)]`, for samples of `length` values. */
export function mixWithPartners(
  values: Float32Array,
  length: number,
  partners: Uint32Array,
  weight: number,
): Float32Array {
  const mixed = new Float32Array(values.length);
  for (const [sample, partner] of partners.entries()) {
    const own = sample * length;
    const other = partner * length;
    for (let i = 0; i < length; i++) {
      mixed[own + i] = weight * values[own + i] + (1 - weight) * values[other + i];
    }
  }
  return mixed;
}
