import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadEverySecond, loadFloats, loadSplat } from '../../assembler/loads.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { beforeRelu } from '../lanes/before-relu.ts';

/** Rows of a plane into rows elsewhere: many short ones, so each takes few instructions. */
const ROWS = {
  target: 'address',
  targetStride: 'bytes',
  source: 'address',
  sourceStride: 'bytes',
  /** Of the target's elements in a row; at least 1. */
  count: 'i32',
  rows: 'i32',
} as const;

/** How the elements of a row are read. */
interface Reading {
  /** Bytes from one to the next. */
  readonly step: number;
  vector(source: I32, lanes: number): Floats;
  single(source: I32): F32;
}

function writeRows(
  f: FunctionBuilder,
  {
    target,
    targetStride,
    source,
    sourceStride,
    count,
    rows,
  }: Readonly<Record<keyof typeof ROWS, I32 & { set(value: I32): void }>>,
  { step, vector, single }: Reading,
): void {
  const to = f.i32();
  const from = f.i32();
  const end = f.i32();
  const eachRow = (row: () => void): void =>
    f.while(rows.greaterThan(0), () => {
      to.set(target);
      from.set(source);
      row();
      target.set(target.plus(targetStride));
      source.set(source.plus(sourceStride));
      rows.set(rows.minus(1));
    });
  /** The last vector of a row overlaps the one before: it needs no singles. */
  const vectors = (lanes: number): void =>
    eachRow(() => {
      end.set(target.plus(count.minus(lanes).times(4)));
      f.while(to.lessThan(end), () => {
        f.store(to, vector(from, lanes));
        to.set(to.plus(lanes * 4));
        from.set(from.plus(lanes * step));
      });
      from.set(source.plus(count.minus(lanes).times(step)));
      f.store(end, vector(from, lanes));
    });
  const singles = (): void =>
    eachRow(() => {
      end.set(target.plus(count.times(4)));
      f.doWhile(() => {
        f.store(to, single(from));
        to.set(to.plus(4));
        from.set(from.plus(step));
      }, to.lessThan(end));
    });
  const short = (): void => f.if(count.atLeast(4), () => vectors(4), singles);
  if (f.lanes === 4) short();
  else f.if(count.atLeast(f.lanes), () => vectors(f.lanes), short);
}

/** Copies rows. */
export const copyRows = defineFunction('copyRows', ROWS, (f, p) =>
  writeRows(f, p, {
    step: 4,
    vector: (source, lanes) => loadFloats(source, 0, lanes),
    single: (source) => loadF32(source),
  }),
);

/** Copies every second element of rows. */
export const copyHalfRows = defineFunction('copyHalfRows', ROWS, (f, p) =>
  writeRows(f, p, {
    step: 8,
    vector: (source, lanes) => loadEverySecond(source, 0, lanes),
    single: (source) => loadF32(source),
  }),
);

/** Copies rows of a gradient where the output of ReLU, `distance` bytes further on, is not 0. */
export const copyMaskedRows = defineFunction(
  'copyMaskedRows',
  { ...ROWS, distance: 'bytes' },
  (f, { distance, ...p }) => {
    const value = f.f32();
    writeRows(f, p, {
      step: 4,
      vector: (source, lanes) =>
        beforeRelu(loadFloats(source, 0, lanes), loadFloats(source.plus(distance), 0, lanes)),
      single(source) {
        value.set(beforeRelu(loadSplat(source), loadSplat(source.plus(distance))).lane(0));
        return value;
      },
    });
  },
);
