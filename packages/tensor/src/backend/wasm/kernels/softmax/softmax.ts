import type { NdArray } from '../../../../core/ndarray.ts';
import { splitAtAxis } from '../../../../core/shape.ts';
import type { Kernels } from '../../../contract.ts';
import type { DeclinedCalls } from '../../../declined.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadFloats } from '../../assembler/loads.ts';
import type { I32 } from '../../assembler/scalars.ts';
import { splat } from '../../assembler/vectors.ts';
import { NOWHERE } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { SCRATCH_BYTES } from '../../runtime/runtime.ts';
import { defineTask } from '../../runtime/task.ts';
import { exponential } from '../elementwise/functions.ts';
import { partRange } from '../loops/part-range.ts';
import { copyLine } from '../loops/rows.ts';
import {
  forLines,
  gatherLine,
  logarithmOfOneAnd,
  perPart,
  shiftAndSum,
  softmaxOfLine,
  sumOverLines,
  TOO_LONG,
} from './lines.ts';

const FIELDS = {
  first: 'address',
  second: 'address',
  target: 'address',
  lines: 'i32',
  linesOfPart: 'i32',
  length: 'i32',
  inner: 'i32',
} as const;

/** What is done to a line: `x` (and `g`) lie in the thread's memory; the result replaces `x`. */
type LineBody = (f: FunctionBuilder, line: { x: I32; g: I32; count: I32 }) => void;

/* @__NO_SIDE_EFFECTS__ */
function defineLines(name: string, filler: number, hasGradient: boolean, body: LineBody) {
  return defineTask(name, FIELDS, (f, p, { index, scratch }) => {
    const { first, end } = partRange(f, index, p.linesOfPart, p.lines);
    const stride = f.i32(p.inner.times(4));
    const start = f.i32();
    const x = scratch;
    const g = f.i32(scratch.plus(SCRATCH_BYTES / 4));
    f.for(first, end, 1, (line) => {
      const block = line.dividedBy(p.inner).times(p.length).times(p.inner);
      start.set(block.plus(line.modulo(p.inner)).times(4));
      const gather = { stride, count: p.length, filler };
      f.call(gatherLine, { ...gather, source: p.first.plus(start), target: x });
      if (hasGradient) {
        f.call(gatherLine, { ...gather, source: p.second.plus(start), target: g, filler: 0 });
      }
      body(f, { x, g, count: p.length });
      const target = p.target.plus(start);
      f.call(copyLine, { target, targetStep: stride, source: x, sourceStep: 4, count: p.length });
    });
  });
}

const softmaxTask = defineLines('softmax', Number.NEGATIVE_INFINITY, false, (f, { x, count }) =>
  softmaxOfLine(f, x, count),
);

const logSoftmaxTask = defineLines(
  'logSoftmax',
  Number.NEGATIVE_INFINITY,
  false,
  (f, { x, count }) => {
    const logSum = logarithmOfOneAnd(f, shiftAndSum(f, x, count, 'differences'));
    forLines(f, count, [x], ([at]) => f.store(at, f.load(at).minus(logSum)));
  },
);

// gx = y · (g − Σ g y)
const softmaxGradTask = defineLines('softmaxGrad', 0, true, (f, { x: y, g, count }) => {
  const sum = sumOverLines(f, count, [y, g], ([atY, atG]) =>
    loadFloats(atG, 0, 8).times(loadFloats(atY, 0, 8)),
  );
  const dot = f.f32x4(splat(sum.toF32()));
  forLines(f, count, [y, g], ([atY, atG]) => {
    f.store(atY, f.load(atY).times(f.load(atG).minus(dot)));
  });
});

// gx = g − e^y · Σ g
const logSoftmaxGradTask = defineLines('logSoftmaxGrad', 0, true, (f, { x: y, g, count }) => {
  const sum = sumOverLines(f, count, [g], ([at]) => loadFloats(at, 0, 8));
  const total = f.f32x4(splat(sum.toF32()));
  const vector = f.floats();
  forLines(f, count, [y, g], ([atY, atG]) => {
    vector.set(f.load(atY));
    exponential(f, vector);
    f.store(atY, f.load(atG).minus(vector.times(total)));
  });
});

function alongLines(
  task: typeof softmaxTask,
  x: NdArray,
  gradOut: NdArray | null,
  axis: number,
): NdArray {
  return inFrame((frame) => {
    const [outer, length, inner] = splitAtAxis(x.shape, axis);
    const y = frame.output(x.shape);
    const lines = outer * inner;
    const linesOfPart = perPart(length);
    frame.run(task, Math.ceil(lines / linesOfPart), {
      first: frame.input(x),
      second: gradOut === null ? NOWHERE : frame.input(gradOut),
      target: y.address,
      lines,
      linesOfPart,
      length,
      inner,
    });
    return y.array;
  });
}

const TOO_LONG_WITH_GRADIENT = {
  ...TOO_LONG,
  include: (y: NdArray, _: NdArray, axis: number) => TOO_LONG.include(y, axis),
};

export const declinedSoftmax: DeclinedCalls = {
  softmax: [TOO_LONG],
  softmaxGrad: [TOO_LONG_WITH_GRADIENT],
  logSoftmax: [TOO_LONG],
  logSoftmaxGrad: [TOO_LONG_WITH_GRADIENT],
};

export const softmaxFunctions: Pick<Kernels, 'softmax' | 'softmaxGrad'> = {
  softmax: (x, axis) => alongLines(softmaxTask, x, null, axis),
  softmaxGrad: (y, gradOut, axis) => alongLines(softmaxGradTask, y, gradOut, axis),
};

export const logSoftmaxFunctions: Pick<Kernels, 'logSoftmax' | 'logSoftmaxGrad'> = {
  logSoftmax: (x, axis) => alongLines(logSoftmaxTask, x, null, axis),
  logSoftmaxGrad: (y, gradOut, axis) => alongLines(logSoftmaxGradTask, y, gradOut, axis),
};
