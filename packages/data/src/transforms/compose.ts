import { type Generator, ValueError } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';
import type { Image } from '../core/image.ts';
import { type BeforeTable, withByteTable } from './byte-table.ts';
import { HWC2CHW } from './hwc-to-chw.ts';
import {
  defineTransform,
  isTransform,
  type TransformFunction,
  type TransformLike,
  toFunction,
} from './transform.ts';

/**
 * Applies transforms one after the other; an empty list changes nothing.
 *
 * Neighbours that are pointwise, as `Rescale` and `Normalize`, take one pass over a byte image,
 * together with a `Resize` before and an `HWC2CHW` after them.
 *
 * @throws ValueError if a member is neither a transform nor a function
 */
export const Compose = defineTransform('Compose', (transforms: readonly TransformLike[]) => {
  expectThat(Array.isArray(transforms), 'Compose', 'transforms', 'a list', transforms);
  for (const [index, transform] of transforms.entries()) {
    if (!isTransform(transform)) {
      throw new ValueError(
        `Compose: member ${index} must be a transform (an object with apply) or a function, ` +
          `got ${transform === null ? 'null' : typeof transform}`,
      );
    }
  }
  const steps = joinPointwise(transforms);
  const last = steps.length - 1;
  return {
    apply: (image: Image, generator: Generator, target?: Float32Array): Image =>
      steps.reduce(
        (current, step, index) => step(current, generator, index === last ? target : undefined),
        image,
      ),
  };
});
export type Compose = InstanceType<typeof Compose>;

/**
 * The transforms as functions, where each run of pointwise ones is a single function, together with
 * a `Resize` before it and an `HWC2CHW` after it.
 */
function joinPointwise(transforms: readonly TransformLike[]): TransformFunction[] {
  const steps: TransformFunction[] = [];
  for (let start = 0; start < transforms.length; ) {
    const first = transforms[start];
    const before = isBeforeTable(first) ? first : null;
    const firstPointwise = before === null ? start : start + 1;
    let end = firstPointwise;
    while (end < transforms.length && isPointwise(transforms[end])) end++;
    if (end === firstPointwise) {
      steps.push(toFunction(first));
      start++;
      continue;
    }
    const thenPlanes = transforms[end] instanceof HWC2CHW;
    const pointwise = transforms.slice(firstPointwise, end).map(toFunction);
    steps.push(withByteTable(pointwise, { before, thenPlanes }));
    start = thenPlanes ? end + 1 : end;
  }
  return steps;
}

function isBeforeTable(transform: TransformLike): transform is BeforeTable {
  return typeof transform === 'object' && transform.lookUpInPlanes !== undefined;
}

function isPointwise(transform: TransformLike): boolean {
  return typeof transform === 'object' && transform.isPointwise === true;
}
