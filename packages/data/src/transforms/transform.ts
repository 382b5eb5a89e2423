import type { Generator } from '@firelight/tensor';
import type { Image } from '../core/image.ts';
import { type DefinedClass, defineClass, type Recipe } from '../core/recipe.ts';

/**
 * One step from image to image. It never changes its argument, and a random one draws from
 * `generator` alone, so that the same generator gives the same image. It may write its result into
 * `target`, if that is given and of the right length, to save the caller a copy.
 */
export interface Transform {
  /**
   * Whether each value of the result depends on nothing but the value in its place and its channel.
   * `Compose` then looks it up for byte images. Default false.
   */
  readonly isPointwise?: boolean;
  /** The changed image; its argument stays as it is. */
  apply(image: Image, generator: Generator, target?: Float32Array): Image;
  /**
   * What a look-up of each byte in its channel's table, and `HWC2CHW`, would make of the changed image
   * of bytes, without that image in between: `Compose` asks a transform with this, which must not be
   * random, where such steps follow it.
   *
   * @param target takes the values if it has the right length
   * @returns null if it cannot
   */
  lookUpInPlanes?(
    image: Image,
    tables: readonly Float32Array[],
    target: Float32Array | undefined,
  ): Image | null;
  /** How a worker thread makes an equal transform; without it, it runs on the main thread only. */
  recipe?(): Recipe;
}

/**
 * The class of a transform, from its name and from what makes one of the constructor's arguments.
 * Worker threads can make equal ones; what only the main thread needs, give `batches` as a function.
 *
 * @param name under which `module` exports it
 * @param module its address, which is `import.meta.url`; none for transforms of this package
 */
export function defineTransform<Args extends readonly unknown[], Members extends Transform>(
  name: string,
  make: (...args: Args) => Members,
  module?: string,
): DefinedClass<Args, Members> {
  return defineClass(name, make, module);
}

/** A transform as a plain function. */
export type TransformFunction = (
  image: Image,
  generator: Generator,
  target?: Float32Array,
) => Image;

/** What every `transform` option accepts. */
export type TransformLike = Transform | TransformFunction;

/** Whether a value is a transform in either form. */
export function isTransform(value: unknown): value is TransformLike {
  if (typeof value === 'function') return true;
  return typeof (value as Partial<Transform> | null | undefined)?.apply === 'function';
}

/** Either form of a transform as a function. */
export function toFunction(transform: TransformLike): TransformFunction {
  if (typeof transform === 'function') return transform;
  return (image, generator, target) => transform.apply(image, generator, target);
}
