import type { Kernels } from '../../../contract.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { chunks, forVectors } from '../loops/flat-arrays.ts';

const blendTask = defineTask(
  'blend',
  { target: 'address', source: 'address', count: 'i32', keep: 'f32', add: 'f32' },
  (f, { target, source, count, keep, add }, { index }) => {
    const keeps = f.f32x4(splat(keep));
    const adds = f.f32x4(splat(add));
    const loop = (blended: Floats): void =>
      forVectors(f, count, index, [source, target], () => f.store(target, blended));
    const added = f.load(source).times(adds);
    // Assignment (keep = 0) must not keep a NaN or infinity alive.
    f.if(
      keep.notEquals(0),
      () => loop(f.multiplyAdd(keeps, f.load(target), added)),
      () => loop(added),
    );
  },
);

const momentumTask = defineTask(
  'momentumStep',
  {
    target: 'address',
    velocity: 'address',
    gradient: 'address',
    count: 'i32',
    learningRate: 'f32',
    momentum: 'f32',
    decay: 'f32',
    lossScale: 'f32',
    share: 'f32',
    nesterov: 'flag',
  },
  (f, fields, { index }) => {
    const { target, velocity, gradient, count, nesterov } = fields;
    const rate = f.f32x4(splat(fields.learningRate));
    const momentum = f.f32x4(splat(fields.momentum));
    const decay = f.f32x4(splat(fields.decay));
    const scale = f.f32x4(splat(fields.lossScale));
    const share = f.f32x4(splat(fields.share));
    const w = f.floats();
    const g = f.floats();
    const v = f.floats();
    const loop = (step: Floats): void =>
      forVectors(f, count, index, [target, velocity, gradient], () => {
        w.set(f.load(target));
        g.set(f.multiplyAdd(decay, w, f.load(gradient)).dividedBy(scale));
        v.set(f.multiplyAdd(momentum, f.load(velocity), share.times(g)));
        f.store(velocity, v);
        f.store(target, w.minus(rate.times(step)));
      });
    f.if(
      nesterov,
      () => loop(f.multiplyAdd(momentum, v, g)),
      () => loop(v),
    );
  },
);

export const updates: Pick<Kernels, 'blend' | 'momentumStep'> = {
  blend: (target, x, { keep, add }) =>
    inFrame((frame) => {
      const values = { target: frame.target(target), source: frame.input(x), keep, add };
      frame.run(blendTask, chunks(x.size), { ...values, count: x.size });
    }),

  // g ← (gradient + weightDecay · lossScale · w) / lossScale, v ← momentum · v + share · g,
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
        share: 1 - (options.dampening ?? 0),
        nesterov: options.nesterov,
      });
    }),
};
