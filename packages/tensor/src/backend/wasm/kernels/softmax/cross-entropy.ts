import type { NdArray } from '../../../../core/ndarray.ts';
import type { Kernels } from '../../../contract.ts';
import type { DeclinedCalls } from '../../../declined.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { LocalsOf } from '../../assembler/parameters.ts';
import { f32, type I32, i32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { splat } from '../../assembler/vectors.ts';
import { NOWHERE } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { partRange } from '../loops/part-range.ts';
import { copyRow, fillRow } from '../loops/rows.ts';
import {
  forLines,
  gatherLine,
  logarithmOfOneAnd,
  perPart,
  shiftAndSum,
  softmaxOfLine,
  TOO_LONG,
} from './lines.ts';

const CROSS_ENTROPY = {
  logits: 'address',
  labels: 'address',
  gradOut: 'address',
  target: 'address',
  samples: 'i32',
  samplesOfPart: 'i32',
  classes: 'i32',
} as const;

/** Calls `body` for each sample of the part, with its logits in `line`. */
function defineCrossEntropy(
  name: string,
  body: (
    f: FunctionBuilder,
    p: LocalsOf<typeof CROSS_ENTROPY>,
    sample: { index: I32; line: I32 },
  ) => void,
) {
  return defineTask(name, CROSS_ENTROPY, (f, p, { index, scratch }) => {
    const { first, end } = partRange(f, index, p.samplesOfPart, p.samples);
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
  const logSum = logarithmOfOneAnd(f, shiftAndSum(f, line, p.classes, 'differences')).lane(0);
  const target = p.target.plus(index.times(4));
  f.if(
    label.lessThan(0),
    () => f.store(target, f32(0)),
    () => f.store(target, logSum.minus(loadF32(line.plus(label.times(4))))),
  );
});

// gx = (softmax(x) − onehot(label)) · g
const crossEntropyGradTask = defineCrossEntropy(
  'softmaxCrossEntropyGrad',
  (f, p, { index, line }) => {
    const label = f.i32(loadI32(p.labels.plus(index.times(4))));
    const target = f.i32(p.target.plus(index.times(p.classes).times(4)));
    f.if(
      label.lessThan(0),
      () => f.call(fillRow, { target, count: p.classes, value: f32(0) }),
      () => {
        softmaxOfLine(f, line, p.classes);
        const gradient = f.f32x4(splat(loadF32(p.gradOut.plus(index.times(4)))));
        const own = f.i32(label.times(4).plus(line));
        f.store(own, loadF32(own).minus(1));
        forLines(f, p.classes, [line], ([at]) => f.store(at, f.load(at).times(gradient)));
        f.call(copyRow, { source: line, count: p.classes, target });
      },
    );
  },
);

const TOO_MANY_CLASSES = { ...TOO_LONG, include: (logits: NdArray) => TOO_LONG.include(logits, 1) };

export const declinedCrossEntropy: DeclinedCalls = {
  softmaxCrossEntropy: [TOO_MANY_CLASSES],
  softmaxCrossEntropyGrad: [TOO_MANY_CLASSES],
};

export const crossEntropy: Pick<Kernels, 'softmaxCrossEntropy' | 'softmaxCrossEntropyGrad'> = {
  softmaxCrossEntropy: (logits, labels) =>
    inFrame((frame) => {
      const [samples, classes] = logits.shape;
      const losses = frame.output(labels.shape);
      const samplesOfPart = perPart(classes);
      frame.run(crossEntropyTask, Math.ceil(samples / samplesOfPart), {
        logits: frame.input(logits),
        labels: frame.input(labels),
        gradOut: NOWHERE,
        target: losses.address,
        samples,
        samplesOfPart,
        classes,
      });
      return losses.array;
    }),

  softmaxCrossEntropyGrad: (logits, labels, gradOut) =>
    inFrame((frame) => {
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
    }),
};
