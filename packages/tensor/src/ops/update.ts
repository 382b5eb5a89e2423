import type { Tensor } from '../autograd/tensor.ts';
import type { MomentumOptions } from '../backend/kernels.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';

/**
 * Operations that write into a tensor in place, for optimizers and for loading. They are not
 * recorded for `backward()`.
 */

/**
 * target ← source.
 *
 * @throws ShapeError if the shapes differ
 */
export function assign(target: Tensor, source: Tensor): void {
  if (!sameShape(target.shape, source.shape)) {
    throw shapeError('assign', 'shapes must be equal', { target, source });
  }
  kernels().blend(target.array, source.array, { keep: 0, add: 1 });
}

/**
 * One step of gradient descent with momentum, in the order of MindSpore's Momentum:
 *
 * g ← (grad + weightDecay · lossScale · w) / lossScale, v ← momentum · v + g,
 * w ← w − learningRate · v, or w − learningRate · (g + momentum · v) with `nesterov`.
 *
 * @throws ShapeError if the shapes of parameter, velocity and gradient differ
 * @see mindspore/nn/optim/momentum.py
 */
export function momentumStep(
  parameter: Tensor,
  velocity: Tensor,
  gradient: Tensor,
  options: MomentumOptions,
): void {
  if (!sameShape(parameter.shape, velocity.shape) || !sameShape(parameter.shape, gradient.shape)) {
    throw shapeError('momentumStep', 'shapes must be equal', { parameter, velocity, gradient });
  }
  kernels().momentumStep(parameter.array, velocity.array, gradient.array, options);
}
