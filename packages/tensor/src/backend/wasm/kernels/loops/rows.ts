import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadFloats } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type I32, loadF32 } from '../../assembler/scalars.ts';
import { sideBySide, splat } from '../../assembler/vectors.ts';

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
  { target: 'address', source: 'address', count: 'i32' },
  (f, { target, source, count }) => {
    forRow(f, count, [target, source], (lanes) => {
      f.store(target, lanes === 1 ? loadF32(source) : loadFloats(source, 0, lanes));
    });
  },
);

/** Copies `count` 32-bit elements that lie `sourceStep` bytes apart to places `targetStep` bytes apart. */
export const copyLine = defineFunction(
  'copyLine',
  {
    target: 'address',
    targetStep: 'bytes',
    source: 'address',
    sourceStep: 'bytes',
    count: 'i32',
  },
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
  { target: 'address', count: 'i32', value: 'f32' },
  (f, { target, count, value }) => {
    const values = f.floats(splat(value));
    forRow(f, count, [target], (lanes) => {
      f.store(target, lanes === 1 ? value : sideBySide(values.vectors.slice(0, lanes / 4)));
    });
  },
);
