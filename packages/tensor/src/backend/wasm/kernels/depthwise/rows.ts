import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadEverySecond, loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { beforeRelu } from '../lanes/before-relu.ts';

/** Rows of planes into rows elsewhere: many short ones, so each takes few instructions. */
const ROWS = {
  target: 'address',
  targetStride: 'bytes',
  /** From one plane to the next. */
  targetPlane: 'bytes',
  source: 'address',
  sourceStride: 'bytes',
  sourcePlane: 'bytes',
  planes: 'i32',
  rows: 'i32',
  /** Of the target's elements in a row; at least 1. */
  count: 'i32',
} as const;

/** Calls `body` with the addresses of each row. */
function forRows(
  f: FunctionBuilder,
  p: LocalsOf<typeof ROWS>,
  body: (to: Local<I32>, from: Local<I32>) => void,
): void {
  const [target, source, to, from, left] = f.i32sOf(5);
  f.while(p.planes.greaterThan(0), () => {
    target.set(p.target);
    source.set(p.source);
    left.set(p.rows);
    f.while(left.greaterThan(0), () => {
      to.set(target);
      from.set(source);
      body(to, from);
      target.set(target.plus(p.targetStride));
      source.set(source.plus(p.sourceStride));
      left.set(left.minus(1));
    });
    p.target.set(p.target.plus(p.targetPlane));
    p.source.set(p.source.plus(p.sourcePlane));
    p.planes.set(p.planes.minus(1));
  });
}

/** How the elements of a row are read. */
interface Reading {
  /** Bytes from one to the next. */
  readonly step: number;
  vector(source: I32, lanes: number): Floats;
  single(source: I32): F32;
}

function writeRows(
  f: FunctionBuilder,
  p: LocalsOf<typeof ROWS>,
  { step, vector, single }: Reading,
): void {
  const end = f.i32();
  /** The last vector of a row overlaps the one before: it needs no singles. */
  const vectors = (lanes: number): void =>
    forRows(f, p, (to, from) => {
      end.set(to.plus(p.count.minus(lanes).times(4)));
      const last = f.i32(from.plus(p.count.minus(lanes).times(step)));
      f.while(to.lessThan(end), () => {
        f.store(to, vector(from, lanes));
        to.set(to.plus(lanes * 4));
        from.set(from.plus(lanes * step));
      });
      f.store(end, vector(last, lanes));
    });
  const singles = (): void =>
    forRows(f, p, (to, from) => {
      end.set(to.plus(p.count.times(4)));
      f.doWhile(() => {
        f.store(to, single(from));
        to.set(to.plus(4));
        from.set(from.plus(step));
      }, to.lessThan(end));
    });
  const short = (): void => f.if(p.count.atLeast(4), () => vectors(4), singles);
  if (f.lanes === 4) short();
  else f.if(p.count.atLeast(f.lanes), () => vectors(f.lanes), short);
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

/** Copies rows whose elements lie any distance apart. */
export const copySteps = defineFunction(
  'copySteps',
  { ...ROWS, targetStep: 'bytes', sourceStep: 'bytes' },
  (f, p) => {
    const left = f.i32();
    forRows(f, p, (to, from) => {
      left.set(p.count);
      f.doWhile(() => {
        f.store(to, loadF32(from));
        to.set(to.plus(p.targetStep));
        from.set(from.plus(p.sourceStep));
        left.set(left.minus(1));
      }, left.greaterThan(0));
    });
  },
);
