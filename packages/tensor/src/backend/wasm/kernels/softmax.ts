import type { NdArray } from '../../../core/ndarray.ts';
import { splitAtAxis } from '../../../core/shape.ts';
import type { Kernels } from '../../kernels.ts';
import { referenceKernels } from '../../reference/index.ts';
import { defineFunction, type FunctionBuilder, type Local } from '../assembler/function.ts';
import { type F32, type I32, i32, loadF32, loadI32 } from '../assembler/scalars.ts';
import { type F32x4, loadF32x4, splat } from '../assembler/vectors.ts';
import { inFrame } from '../frame.ts';
import { SCRATCH_BYTES } from '../runtime.ts';
import { defineTask } from '../task.ts';
import { exponential, logarithm } from './elementwise/functions.ts';

/**
 * Softmax of lines along one axis. A line is first copied into the thread's memory, its elements side
 * by side and filled up to a whole vector with numbers that do not count, and worked on there.
 */

/** Longest line: four of them fit into the thread's memory. */
const MOST_ELEMENTS = SCRATCH_BYTES / 4 / 4 - 16;
/** Elements of one part. */
const PART_ELEMENTS = 4096;

/** Copies `count` elements that lie `stride` bytes apart, and fills up to whole vectors. */
const gatherLine = defineFunction(
  'gatherLine',
  { source: 'i32', stride: 'i32', count: 'i32', target: 'i32', filler: 'f32' },
  (f, { source, stride, count, target, filler }) => {
    f.for(0, count, 1, () => {
      f.store(target, loadF32(source));
      source.set(source.plus(stride));
      target.set(target.plus(4));
    });
    f.store(target, splat(filler));
  },
);

const scatterLine = defineFunction(
  'scatterLine',
  { source: 'i32', stride: 'i32', count: 'i32', target: 'i32' },
  (f, { source, stride, count, target }) => {
    f.for(0, count, 1, () => {
      f.store(target, loadF32(source));
      target.set(target.plus(stride));
      source.set(source.plus(4));
    });
  },
);

/** Runs `body` for each whole vector of a line at `line`. */
function forLine(f: FunctionBuilder, count: I32, body: (offset: I32) => void): void {
  f.for(0, count.times(4), 16, body);
}

function sumOfLanes(f: FunctionBuilder, vector: F32x4): Local<F32> {
  const kept = f.f32x4(vector);
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => kept.lane(lane));
  return f.f32(a.plus(b).plus(c.plus(d)));
}

/**
 * Subtracts the maximum from a line that is filled up with −∞, so that nothing overflows.
 *
 * @returns Σ eˣ of what is left
 */
function shiftAndSum(f: FunctionBuilder, line: I32, count: I32): Local<F32> {
  const vector = f.f32x4();
  const sum = f.f32x4(splat(0));
  const max = f.f32x4(splat(Number.NEGATIVE_INFINITY));
  forLine(f, count, (offset) => {
    max.set(max.max(loadF32x4(line.plus(offset))));
  });
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => max.lane(lane));
  max.set(splat(f.f32(a.max(b).max(c.max(d)))));
  forLine(f, count, (offset) => {
    vector.set(loadF32x4(line.plus(offset)).minus(max));
    f.store(line.plus(offset), vector);
    exponential(f, vector);
    sum.set(sum.plus(vector));
  });
  return sumOfLanes(f, sum);
}

function logarithmOf(f: FunctionBuilder, value: F32): F32x4 {
  const vector = f.f32x4(splat(value));
  logarithm(f, vector);
  return vector;
}

/** Replaces a line by its softmax. */
function softmaxOfLine(f: FunctionBuilder, line: I32, count: I32): void {
  const sum = f.f32x4(splat(shiftAndSum(f, line, count)));
  const vector = f.f32x4();
  forLine(f, count, (offset) => {
    vector.set(loadF32x4(line.plus(offset)));
    exponential(f, vector);
    f.store(line.plus(offset), vector.dividedBy(sum));
  });
}

const FIELDS = {
  first: 'i32',
  second: 'i32',
  target: 'i32',
  lines: 'i32',
  linesOfPart: 'i32',
  length: 'i32',
  inner: 'i32',
} as const;

/** What is done to a line: `x` (and `g`) lie in the thread's memory; the result replaces `x`. */
type LineBody = (f: FunctionBuilder, line: { x: I32; g: I32; count: I32 }) => void;

function defineLines(name: string, filler: number, hasGradient: boolean, body: LineBody) {
  return defineTask(name, FIELDS, (f, p, { index, scratch }) => {
    const firstLine = f.i32(index.times(p.linesOfPart));
    const end = f.i32(firstLine.plus(p.linesOfPart));
    end.set(end.min(p.lines));
    const stride = f.i32(p.inner.times(4));
    const start = f.i32();
    const x = scratch;
    const g = f.i32(scratch.plus(SCRATCH_BYTES / 4));
    f.for(firstLine, end, 1, (line) => {
      const block = line.dividedBy(p.inner).times(p.length).times(p.inner);
      start.set(block.plus(line.modulo(p.inner)).times(4));
      const gather = { stride, count: p.length, filler };
      f.call(gatherLine, { ...gather, source: p.first.plus(start), target: x });
      if (hasGradient) {
        f.call(gatherLine, { ...gather, source: p.second.plus(start), target: g, filler: 0 });
      }
      body(f, { x, g, count: p.length });
      f.call(scatterLine, { source: x, stride, count: p.length, target: p.target.plus(start) });
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
    const logSum = logarithmOf(f, shiftAndSum(f, x, count));
    forLine(f, count, (offset) => {
      f.store(x.plus(offset), loadF32x4(x.plus(offset)).minus(logSum));
    });
  },
);

// gx = y · (g − Σ g y)
const softmaxGradTask = defineLines('softmaxGrad', 0, true, (f, { x: y, g, count }) => {
  const sum = f.f32x4(splat(0));
  forLine(f, count, (offset) => {
    sum.set(f.multiplyAdd(loadF32x4(g.plus(offset)), loadF32x4(y.plus(offset)), sum));
  });
  const dot = f.f32x4(splat(sumOfLanes(f, sum)));
  forLine(f, count, (offset) => {
    const gradient = loadF32x4(g.plus(offset)).minus(dot);
    f.store(y.plus(offset), loadF32x4(y.plus(offset)).times(gradient));
  });
});

// gx = g − e^y · Σ g
const logSoftmaxGradTask = defineLines('logSoftmaxGrad', 0, true, (f, { x: y, g, count }) => {
  const sum = f.f32x4(splat(0));
  const vector = f.f32x4();
  forLine(f, count, (offset) => {
    sum.set(sum.plus(loadF32x4(g.plus(offset))));
  });
  const total = f.f32x4(splat(sumOfLanes(f, sum)));
  forLine(f, count, (offset) => {
    vector.set(loadF32x4(y.plus(offset)));
    exponential(f, vector);
    f.store(y.plus(offset), loadF32x4(g.plus(offset)).minus(vector.times(total)));
  });
});

const CROSS_ENTROPY = {
  logits: 'i32',
  labels: 'i32',
  gradOut: 'i32',
  target: 'i32',
  samples: 'i32',
  samplesOfPart: 'i32',
  classes: 'i32',
} as const;

/** Calls `body` for each sample of the part, with its logits in `line`. */
function defineCrossEntropy(
  name: string,
  body: (
    f: FunctionBuilder,
    p: { logits: I32; labels: I32; gradOut: I32; target: I32; classes: I32 },
    sample: { index: I32; line: I32 },
  ) => void,
) {
  return defineTask(name, CROSS_ENTROPY, (f, p, { index, scratch }) => {
    const first = f.i32(index.times(p.samplesOfPart));
    const end = f.i32(first.plus(p.samplesOfPart));
    end.set(end.min(p.samples));
    f.for(first, end, 1, (sample) => {
      f.call(gatherLine, {
        source: p.logits.plus(sample.times(p.classes).times(4)),
        stride: i32(4),
        count: p.classes,
        target: scratch,
        filler: Number.NEGATIVE_INFINITY,
      });
      body(f, p, { index: sample, line: scratch });
    });
  });
}

const crossEntropyTask = defineCrossEntropy('softmaxCrossEntropy', (f, p, { index, line }) => {
  const label = f.i32(loadI32(p.labels.plus(index.times(4))));
  const logSum = logarithmOf(f, shiftAndSum(f, line, p.classes)).lane(0);
  const loss = logSum.minus(loadF32(line.plus(label.times(4))));
  f.store(p.target.plus(index.times(4)), loss);
});

// gx = (softmax(x) − onehot(label)) · g
const crossEntropyGradTask = defineCrossEntropy(
  'softmaxCrossEntropyGrad',
  (f, p, { index, line }) => {
    softmaxOfLine(f, line, p.classes);
    const label = f.i32(
      loadI32(p.labels.plus(index.times(4)))
        .times(4)
        .plus(line),
    );
    const gradient = f.f32x4(splat(loadF32(p.gradOut.plus(index.times(4)))));
    f.store(label, loadF32(label).minus(1));
    forLine(f, p.classes, (offset) => {
      f.store(line.plus(offset), loadF32x4(line.plus(offset)).times(gradient));
    });
    f.call(scatterLine, {
      source: line,
      stride: i32(4),
      count: p.classes,
      target: p.target.plus(index.times(p.classes).times(4)),
    });
  },
);

const perPart = (length: number): number => Math.max(1, Math.floor(PART_ELEMENTS / length));

function alongLines(
  task: typeof softmaxTask,
  x: NdArray,
  gradOut: NdArray | null,
  axis: number,
): NdArray {
  return inFrame((frame) => {
    const [outer, length, inner] = splitAtAxis(x.shape, axis);
    const y = frame.output(x.shape);
    const lines = length === 0 ? 0 : outer * inner;
    const linesOfPart = perPart(length);
    frame.run(task, Math.ceil(lines / linesOfPart), {
      first: frame.input(x),
      second: gradOut === null ? 0 : frame.input(gradOut),
      target: y.address,
      lines,
      linesOfPart,
      length,
      inner,
    });
    return y.array;
  });
}

const isTooLong = (x: NdArray, axis: number): boolean => x.shape[axis] > MOST_ELEMENTS;

export const softmaxFamily: Pick<
  Kernels,
  | 'softmax'
  | 'softmaxGrad'
  | 'logSoftmax'
  | 'logSoftmaxGrad'
  | 'softmaxCrossEntropy'
  | 'softmaxCrossEntropyGrad'
> = {
  softmax: (x, axis) =>
    isTooLong(x, axis) ? referenceKernels.softmax(x, axis) : alongLines(softmaxTask, x, null, axis),

  softmaxGrad: (y, gradOut, axis) =>
    isTooLong(y, axis)
      ? referenceKernels.softmaxGrad(y, gradOut, axis)
      : alongLines(softmaxGradTask, y, gradOut, axis),

  logSoftmax: (x, axis) =>
    isTooLong(x, axis)
      ? referenceKernels.logSoftmax(x, axis)
      : alongLines(logSoftmaxTask, x, null, axis),

  logSoftmaxGrad: (y, gradOut, axis) =>
    isTooLong(y, axis)
      ? referenceKernels.logSoftmaxGrad(y, gradOut, axis)
      : alongLines(logSoftmaxGradTask, y, gradOut, axis),

  softmaxCrossEntropy(logits, labels) {
    if (isTooLong(logits, 1)) return referenceKernels.softmaxCrossEntropy(logits, labels);
    return inFrame((frame) => {
      const [samples, classes] = logits.shape;
      const losses = frame.output(labels.shape);
      const samplesOfPart = perPart(classes);
      frame.run(crossEntropyTask, Math.ceil(samples / samplesOfPart), {
        logits: frame.input(logits),
        labels: frame.input(labels),
        gradOut: 0,
        target: losses.address,
        samples,
        samplesOfPart,
        classes,
      });
      return losses.array;
    });
  },

  softmaxCrossEntropyGrad(logits, labels, gradOut) {
    if (isTooLong(logits, 1)) {
      return referenceKernels.softmaxCrossEntropyGrad(logits, labels, gradOut);
    }
    return inFrame((frame) => {
      const [samples, classes] = logits.shape;
      const gradIn = frame.output(logits.shape);
      const samplesOfPart = perPart(classes);
      frame.run(crossEntropyGradTask, Math.ceil(samples / samplesOfPart), {
        logits: frame.input(logits),
        labels: frame.input(labels),
        gradOut: frame.input(gradOut),
        target: gradIn.address,
        samples,
        samplesOfPart,
        classes,
      });
      return gradIn.array;
    });
  },
};
