import { type Generator, ValueError } from '@firelight/tensor';
import type { Image } from '../image.ts';
import { withByteTable } from './byte-table.ts';
import {
  type Transform,
  type TransformFunction,
  type TransformLike,
  toFunction,
} from './transform.ts';

/**
 * Applies transforms one after the other; an empty list changes nothing.
 *
 * Neighbours that are pointwise, as `Rescale` and `Normalize`, take one pass over a byte image.
 */
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
    this.#steps = joinPointwise(transforms);
  }

  apply(image: Image, generator: Generator): Image {
    return applyAll(this.#steps, image, generator);
  }
}

function applyAll(steps: readonly TransformFunction[], image: Image, generator: Generator): Image {
  return steps.reduce((current, step) => step(current, generator), image);
}

/** The transforms as functions, where those of each run of pointwise ones are a single one. */
function joinPointwise(transforms: readonly TransformLike[]): TransformFunction[] {
  const steps: TransformFunction[] = [];
  let run: TransformFunction[] = [];
  const closeRun = (): void => {
    const pointwise = run;
    run = [];
    if (pointwise.length === 0) return;
    steps.push(withByteTable((image, generator) => applyAll(pointwise, image, generator)));
  };
  for (const transform of transforms) {
    if (typeof transform === 'object' && transform.isPointwise) {
      run.push(toFunction(transform));
    } else {
      closeRun();
      steps.push(toFunction(transform));
    }
  }
  closeRun();
  return steps;
}
