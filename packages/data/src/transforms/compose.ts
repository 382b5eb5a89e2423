import { type Generator, ValueError } from '@firelight/tensor';
import type { Image } from '../image.ts';
import {
  type Transform,
  type TransformFunction,
  type TransformLike,
  toFunction,
} from './transform.ts';

/** Applies transforms one after the other; an empty list changes nothing. */
export class Compose implements Transform {
  readonly #steps: readonly TransformFunction[];

  /** @throws ValueError if a member is neither a transform nor a function */
  constructor(transforms: readonly TransformLike[]) {
    for (const [index, transform] of transforms.entries()) {
      if (typeof transform !== 'function' && typeof transform?.apply !== 'function') {
        throw new ValueError(
          `Compose: member ${index} must be a transform (an object with apply) or a function, ` +
            `got ${transform === null ? 'null' : typeof transform}`,
        );
      }
    }
    this.#steps = transforms.map(toFunction);
  }

  apply(image: Image, generator: Generator): Image {
    return this.#steps.reduce((current, step) => step(current, generator), image);
  }
}
