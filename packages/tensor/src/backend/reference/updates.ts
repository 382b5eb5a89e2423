import type { Kernels } from '../contract.ts';

export const updates: Pick<Kernels, 'blend'> = {
  blend(target, x, { keep, add }) {
    target.storage.beginChange();
    const [to, from] = [target.data, x.data];
    // Assignment (keep = 0) must not keep a NaN or infinity alive.
    for (let i = 0; i < to.length; i++) to[i] = (keep === 0 ? 0 : keep * to[i]) + add * from[i];
  },
};

export const momentum: Pick<Kernels, 'momentumStep'> = {
  momentumStep(target, velocity, grad, options) {
    const { learningRate, momentum, weightDecay, lossScale, nesterov, dampening = 0 } = options;
    target.storage.beginChange();
    velocity.storage.beginChange();
    const [w, v, gradient] = [target.data, velocity.data, grad.data];
    for (let i = 0; i < w.length; i++) {
      const g = (gradient[i] + weightDecay * lossScale * w[i]) / lossScale;
      v[i] = momentum * v[i] + (1 - dampening) * g;
      w[i] -= learningRate * (nesterov ? g + momentum * v[i] : v[i]);
    }
  },
};
