import { defineFunction, type FunctionBuilder, type Local } from '../../assembler/function.ts';
import { loadFloats } from '../../assembler/loads.ts';
import { type I32, loadF32 } from '../../assembler/scalars.ts';
import { sideBySide, splat } from '../../assembler/vectors.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { COLLECTED_VECTORS, LongSum, toFloats } from '../lanes/long-sum.ts';

/** Runs `body` with the number of lanes for whole vectors of a row, and with 1 for what is left. */
function forRow(
  f: FunctionBuilder,
  count: Local<I32>,
  addresses: readonly Local<I32>[],
  body: (lanes: number) => void,
): void {
  const step = (lanes: number): void => {
    body(lanes);
    for (const address of addresses) address.set(address.plus(lanes * 4));
    count.set(count.minus(lanes));
  };
  f.while(count.atLeast(f.lanes), () => step(f.lanes));
  if (f.lanes > 4) f.if(count.atLeast(4), () => step(4));
  f.while(count.greaterThan(0), () => step(1));
}

/** Copies `count` 32-bit elements. */
export const copyRow = defineFunction(
  'copyRow',
  { target: 'i32', source: 'i32', count: 'i32' },
  (f, { target, source, count }) => {
    forRow(f, count, [target, source], (lanes) => {
      f.store(target, lanes === 1 ? loadF32(source) : loadFloats(source, 0, lanes));
    });
  },
);

/** Copies `count` 32-bit elements that lie `sourceStep` bytes apart to places `targetStep` bytes apart. */
export const copyLine = defineFunction(
  'copyLine',
  { target: 'i32', targetStep: 'i32', source: 'i32', sourceStep: 'i32', count: 'i32' },
  (f, { target, targetStep, source, sourceStep, count }) => {
    f.if(
      sourceStep.equals(4).and(targetStep.equals(4)),
      () => f.call(copyRow, { target, source, count }),
      () =>
        f.for(0, count, 1, () => {
          f.store(target, loadF32(source));
          source.set(source.plus(sourceStep));
          target.set(target.plus(targetStep));
        }),
    );
  },
);

/** Writes one number to `count` elements. */
export const fillRow = defineFunction(
  'fillRow',
  { target: 'i32', count: 'i32', value: 'f32' },
  (f, { target, count, value }) => {
    const values = f.floats(splat(value));
    forRow(f, count, [target], (lanes) => {
      f.store(target, lanes === 1 ? value : sideBySide(values.vectors.slice(0, lanes / 4)));
    });
  },
);

/** Elements of one part of work on flat arrays: 64 KiB, which the second-level cache holds. */
export const CHUNK = 16_384;

/** Parts of work on a flat array. */
export const chunks = (count: number): number => Math.ceil(count / CHUNK);

/**
 * Runs `body` for every vector (`f.floats`) of part `index` of flat arrays of `count` elements, whose
 * `addresses` move along. The last one may reach over the end, where blocks of the arena have room.
 */
export function forVectors(
  f: FunctionBuilder,
  count: I32,
  index: I32,
  addresses: readonly Local<I32>[],
  body: () => void,
): void {
  const first = f.i32(index.times(CHUNK));
  const left = f.i32(count.minus(first));
  left.set(left.min(CHUNK));
  for (const address of addresses) address.set(address.plus(first.times(4)));
  // Both halves of a pair of vectors must use the same variable as address, or V8 does not pack them.
  f.doWhile(() => {
    body();
    for (const address of addresses) address.set(address.plus(f.lanes * 4));
    left.set(left.minus(f.lanes));
  }, left.greaterThan(0));
}

/** Fields of tasks that work on many planes [H, W], several in one part. */
export const PLANE_FIELDS = { planes: 'i32', planesOfPart: 'i32' } as const;

/** Values of those fields, and the number of parts: small planes go together. */
export function planeParts(
  planes: number,
  area: number,
): { parts: number; fields: { planes: number; planesOfPart: number } } {
  const planesOfPart = Math.max(1, Math.floor(CHUNK / area));
  return { parts: Math.ceil(planes / planesOfPart), fields: { planes, planesOfPart } };
}

/** Runs `body` for each plane of part `index`. */
export function forPlanes(
  f: FunctionBuilder,
  { planes, planesOfPart }: { planes: I32; planesOfPart: I32 },
  index: I32,
  body: (plane: I32) => void,
): void {
  const first = f.i32(index.times(planesOfPart));
  const end = f.i32(first.plus(planesOfPart));
  end.set(end.min(planes));
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

const fillTask = defineTask(
  'fill',
  { target: 'i32', count: 'i32', value: 'f32' },
  (f, { target, count, value }, { index }) => {
    const first = f.i32(index.times(CHUNK));
    const length = f.i32(count.minus(first));
    length.set(length.min(CHUNK));
    f.call(fillRow, { target: target.plus(first.times(4)), count: length, value });
  },
);

export function fill(frame: Frame, target: number, count: number, value: number): void {
  frame.run(fillTask, chunks(count), { target, count, value });
}

const sumArraysTask = defineTask(
  'sumArrays',
  { source: 'i32', arrays: 'i32', count: 'i32', target: 'i32' },
  (f, { source, arrays, count, target }, { index }) => {
    const first = f.i32(index.times(CHUNK));
    const end = f.i32(first.plus(CHUNK));
    end.set(end.min(count));
    const sum = new LongSum(f);
    const at = f.i32();
    const stride = f.i32(count.times(4));
    f.for(first, end, 4, (i) => {
      sum.clear();
      at.set(source.plus(i.times(4)));
      f.for(0, arrays, 1, () => {
        sum.addAt(at);
        at.set(at.plus(stride));
      });
      f.store(target.plus(i.times(4)), toFloats(sum.lanes));
    });
  },
);

/** target[i] = Σ_a source[a · count + i]. */
export function sumArrays(
  frame: Frame,
  { source, arrays, count, target }: Record<'source' | 'arrays' | 'count' | 'target', number>,
): void {
  frame.run(sumArraysTask, chunks(count), { source, arrays, count, target });
}
