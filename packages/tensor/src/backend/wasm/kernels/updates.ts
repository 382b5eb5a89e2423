import type { Kernels } from '../../kernels.ts';
import { loadF32x4 } from '../assembler/loads.ts';
import { splat } from '../assembler/vectors.ts';
import { inFrame } from '../frame.ts';
import { defineTask } from '../task.ts';
import { chunks, forVectors } from './rows.ts';

const blendTask = defineTask(
  'blend',
  { target: 'i32', source: 'i32', count: 'i32', keep: 'f32', add: 'f32' },
  (f, { target, source, count, keep, add }, { index }) => {
    const keeps = f.f32x4(splat(keep));
    const adds = f.f32x4(splat(add));
    forVectors(f, count, index, (offset) => {
      const added = f.f32x4(loadF32x4(source.plus(offset)).times(adds));
      // Assignment (keep = 0) must not keep a NaN or infinity alive.
      f.if(keep.notEquals(0), () => {
        added.set(f.multiplyAdd(keeps, loadF32x4(target.plus(offset)), added));
      });
      f.store(target.plus(offset), added);
    });
  },
);

const momentumTask = defineTask(
  'momentumStep',
  {
    target: 'i32',
    velocity: 'i32',
    gradient: 'i32',
    count: 'i32',
    learningRate: 'f32',
    momentum: 'f32',
    decay: 'f32',
    lossScale: 'f32',
    nesterov: 'i32',
  },
  (f, fields, { index }) => {
    const { target, velocity, gradient, count, nesterov } = fields;
    const rate = f.f32x4(splat(fields.learningRate));
    const momentum = f.f32x4(splat(fields.momentum));
    const decay = f.f32x4(splat(fields.decay));
    const scale = f.f32x4(splat(fields.lossScale));
    const w = f.f32x4();
    const g = f.f32x4();
    const v = f.f32x4();
    forVectors(f, count, index, (offset) => {
      w.set(loadF32x4(target.plus(offset)));
      g.set(f.multiplyAdd(decay, w, loadF32x4(gradient.plus(offset))).dividedBy(scale));
      v.set(f.multiplyAdd(momentum, loadF32x4(velocity.plus(offset)), g));
      f.store(velocity.plus(offset), v);
      f.if(nesterov, () => v.set(f.multiplyAdd(momentum, v, g)));
      f.store(target.plus(offset), w.minus(rate.times(v)));
    });
  },
);

export const updates: Pick<Kernels, 'blend' | 'momentumStep'> = {
  blend: (target, x, { keep, add }) =>
    inFrame((frame) => {
      const values = { target: frame.target(target), source: frame.input(x), keep, add };
      frame.run(blendTask, chunks(x.size), { ...values, count: x.size });
    }),

  // g ← (gradient + weightDecay · lossScale · w) / lossScale, v ← momentum · v + g,
  // w ← w − learningRate · v, or w − learningRate · (g + momentum · v) with Nesterov
  momentumStep: (target, velocity, grad, options) =>
    inFrame((frame) => {
      frame.run(momentumTask, chunks(target.size), {
        target: frame.target(target),
        velocity: frame.target(velocity),
        gradient: frame.input(grad),
        count: target.size,
        learningRate: options.learningRate,
        momentum: options.momentum,
        decay: options.weightDecay * options.lossScale,
        lossScale: options.lossScale,
        nesterov: Number(options.nesterov),
      });
    }),
};
