import { setThreads } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defineFunction } from '../../../../packages/tensor/src/backend/wasm/assembler/function.ts';
import { f32, loadF32 } from '../../../../packages/tensor/src/backend/wasm/assembler/scalars.ts';
import {
  countFrom,
  partRange,
} from '../../../../packages/tensor/src/backend/wasm/kernels/loops/part-range.ts';
import {
  type Address,
  NOWHERE,
} from '../../../../packages/tensor/src/backend/wasm/runtime/address.ts';
import { inFrame } from '../../../../packages/tensor/src/backend/wasm/runtime/frame.ts';
import { defineTask } from '../../../../packages/tensor/src/backend/wasm/runtime/task.ts';

const SCALE = { factor: 'f32', shift: { by: 'f32', isUsed: 'flag' } } as const;

/** target ← x · factor + by, or without `by`. */
const scaleOne = defineFunction(
  'scaleOne',
  { ends: { x: 'address', target: 'address' }, scale: SCALE },
  (f, { ends, scale: { factor, shift } }) => {
    const product = f.f32(loadF32(ends.x).times(factor));
    f.if(shift.isUsed, () => product.set(product.plus(shift.by)));
    f.store(ends.target, product);
  },
);

const scaleTask = defineTask(
  'scale',
  { first: SCALE, x: { address: 'address', step: 'bytes' }, second: SCALE, target: 'address' },
  (f, { first, x, second, target }, { index }) => {
    const at = f.i32(target.plus(index.times(4)));
    // Groups pass through as they are.
    const source = x.address.plus(index.times(x.step));
    f.call(scaleOne, { ends: { x: source, target: at }, scale: first });
    f.call(scaleOne, { ends: { x: at, target: at }, scale: second });
  },
);

/** Adds 1 to each item of a part. */
const visitTask = defineTask(
  'visit',
  { target: 'address', size: 'i32', total: 'i32' },
  (f, { target, size, total }, { index }) => {
    const { first, end } = partRange(f, index, size, total);
    f.for(first, end, 1, (item) => {
      const at = f.i32(target.plus(item.times(4)));
      f.store(at, loadF32(at).plus(1));
    });
  },
);

/** target[part] ← how many items the part has. */
const countTask = defineTask(
  'count',
  { target: 'address', size: 'i32', total: 'i32' },
  (f, { target, size, total }, { index }) => {
    const count = countFrom(f, f.i32(index.times(size)), size, total);
    f.store(target.plus(index.times(4)), f32(0).plus(count.toF32()));
  },
);

test('groups of fields reach the task and the functions that it calls, each in its place', () => {
  const run = (isUsed: boolean): number[] =>
    inFrame((frame) => {
      const x = frame.output([6]);
      const y = frame.output([3]);
      x.array.data.set([1, 0, 2, 0, 3, 0]);
      const named = { name: 'first', factor: 10, shift: { by: -2, isUsed: true } };
      frame.run(scaleTask, 3, {
        // In another order than they were declared in, and with more than is asked for.
        target: y.address,
        second: { shift: { isUsed, by: 7 }, factor: 0.5 },
        first: named,
        x: { address: x.address, step: 8 },
      });
      return [...y.array.data];
    });
  expect(run(true)).toEqual([11, 16, 21]);
  expect(run(false)).toEqual([4, 9, 14]);
});

test('the parts of a job visit every item exactly once, on any number of threads', () => {
  const size = fc.integer({ min: 1, max: 70 });
  const total = fc.integer({ min: 1, max: 500 });
  const property = fc.property(size, total, fc.constantFrom(1, 2), (size, total, threads) => {
    setThreads(threads);
    const parts = Math.ceil(total / size);
    const [visits, counts] = inFrame((frame) => {
      const visits = frame.output([total]);
      const counts = frame.output([parts]);
      visits.array.data.fill(0);
      frame.run(visitTask, parts, { target: visits.address, size, total });
      frame.run(countTask, parts, { target: counts.address, size, total });
      return [[...visits.array.data], [...counts.array.data]];
    });
    expect(visits).toEqual(new Array(total).fill(1));
    expect(counts.every((count) => count >= 1 && count <= size)).toBe(true);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
  });
  try {
    fc.assert(property);
  } finally {
    setThreads(1);
  }
});

test('the types refuse a number for an address, and a group that lacks a field', () => {
  const refused = (target: Address): void =>
    inFrame((frame) => {
      frame.run(visitTask, 1, { target, size: 1, total: 1 });
      // @ts-expect-error A count is no address.
      frame.run(visitTask, 1, { target: 3, size: 1, total: 1 });
      // @ts-expect-error An address moved by hand may be anything.
      frame.run(visitTask, 1, { target: target + 4, size: 1, total: 1 });
      // @ts-expect-error Each field has a value.
      frame.run(visitTask, 1, { target, size: 1 });
      const first = { factor: 1, shift: { by: 0, isUsed: false } };
      const x = { address: target, step: 4 };
      // @ts-expect-error The group lacks a group.
      frame.run(scaleTask, 1, { first, x, second: { factor: 1 }, target });
      const second = { factor: 1, shift: { by: 0, isUsed: 1 } };
      // @ts-expect-error A flag is true or false.
      frame.run(scaleTask, 1, { first, x, second, target });
      // @ts-expect-error A count is no address inside a group.
      frame.run(scaleTask, 1, { first, x: { address: 0, step: 4 }, second: first, target });
    });
  const inCode = defineFunction('refused', { at: 'address' }, (f, { at }) => {
    f.call(scaleOne, {
      // @ts-expect-error No number is an address while code is made.
      ends: { x: at, target: 0 },
      scale: { factor: 1, shift: { by: 0, isUsed: 0 } },
    });
  });
  expect([refused, inCode, NOWHERE]).toHaveLength(3); // Only compiled.
});
