import { loadByte, loadBytes } from '../../assembler/bytes.ts';
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

/** Elements that lie `sourceStep` bytes apart, and go to places `targetStep` bytes apart. */
const LINE = {
  target: 'address',
  targetStep: 'bytes',
  source: 'address',
  sourceStep: 'bytes',
  count: 'i32',
} as const;

/** Copies `count` 32-bit elements. */
export const copyLine = defineFunction('copyLine', LINE, (f, line) => {
  const { target, targetStep, source, sourceStep, count } = line;
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
});

/** Copies `count` bytes. */
const copyBytes = defineFunction(
  'copyBytes',
  { target: 'address', source: 'address', count: 'i32' },
  (f, { target, source, count }) => {
    const step = (bytes: number): void => {
      target.set(target.plus(bytes));
      source.set(source.plus(bytes));
      count.set(count.minus(bytes));
    };
    f.while(count.atLeast(16), () => {
      f.store(target, loadBytes(source));
      step(16);
    });
    f.while(count.greaterThan(0), () => {
      f.storeByte(target, loadByte(source));
      step(1);
    });
  },
);

/** The same as `copyLine` for elements of one byte. */
export const copyLineOfBytes = defineFunction('copyLineOfBytes', LINE, (f, line) => {
  const { target, targetStep, source, sourceStep, count } = line;
  f.if(
    sourceStep.equals(1).and(targetStep.equals(1)),
    () => f.call(copyBytes, { target, source, count }),
    () =>
      f.for(0, count, 1, () => {
        f.storeByte(target, loadByte(source));
        source.set(source.plus(sourceStep));
        target.set(target.plus(targetStep));
      }),
  );
});

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
