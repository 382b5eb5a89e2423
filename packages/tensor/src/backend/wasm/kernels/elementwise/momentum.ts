import type { Kernels } from '../../../contract.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { chunks, forVectors } from '../loops/flat-arrays.ts';

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

export const momentum: Pick<Kernels, 'momentumStep'> = {
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
