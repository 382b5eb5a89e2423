import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { FieldValues } from '../../runtime/task.ts';
import { COLLECTED_VECTORS } from '../lanes/long-sum.ts';
import { CHUNK } from './flat-arrays.ts';
import { partRange } from './part-range.ts';

/** Fields of tasks that work on many planes [H, W], several in one part. */
export const PLANES = { count: 'i32', ofPart: 'i32' } as const;

/** Values of those fields, and the number of parts: small planes go together. */
export function planeParts(
  count: number,
  area: number,
): { parts: number; planes: FieldValues<typeof PLANES> } {
  const ofPart = Math.max(1, Math.floor(CHUNK / area));
  return { parts: Math.ceil(count / ofPart), planes: { count, ofPart } };
}

/** Runs `body` for each plane of part `index`. */
export function forPlanes(
  f: FunctionBuilder,
  { count, ofPart }: LocalsOf<typeof PLANES>,
  index: I32,
  body: (plane: I32) => void,
): void {
  const { first, end } = partRange(f, index, ofPart, count);
  f.for(first, end, 1, body);
}

/** What is done to elements of planes whose addresses move along. */
interface PlaneBody {
  /** To eight neighbours (on every machine, because of the order of sums), or four that are left. */
  vector(lanes: 4 | 8): void;
  single(): void;
  /** After as many vectors as a `LongSum` collects. */
  flush?(): void;
}

/** Does something to all elements of a plane; `addresses` are those of its arrays. */
export function forPlane(
  f: FunctionBuilder,
  area: I32,
  addresses: readonly Local<I32>[],
  { vector, single, flush }: PlaneBody,
): void {
  const left = f.i32(area);
  const step = (count: number): void => {
    for (const address of addresses) address.set(address.plus(count * 4));
    left.set(left.minus(count));
  };
  const leftAfterBlock = f.i32(7);
  f.while(left.atLeast(8), () => {
    if (flush !== undefined) {
      leftAfterBlock.set(left.minus(COLLECTED_VECTORS * 8));
      leftAfterBlock.set(leftAfterBlock.max(7));
    }
    f.doWhile(() => {
      vector(8);
      step(8);
    }, left.greaterThan(leftAfterBlock));
    flush?.();
  });
  f.if(left.atLeast(4), () => {
    vector(4);
    step(4);
    flush?.();
  });
  f.while(left.greaterThan(0), () => {
    single();
    step(1);
  });
}
