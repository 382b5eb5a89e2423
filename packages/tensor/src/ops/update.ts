import { Tensor } from '../autograd/tensor.ts';
import { tidy } from '../autograd/tidy.ts';
import type { MomentumOptions } from '../backend/contract.ts';
import { momentum, movement, updates } from '../backend/kernels.ts';
import { expectBoolean, expectFinite, expectThat, readOptions } from '../core/checks.ts';
import { isFloating, isHalf } from '../core/dtype.ts';
import { toElements } from '../core/elements.ts';
import { shapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { sameShape } from '../core/shape.ts';
import { asTensor, expectSameFloating, expectTarget, type TensorLike } from './operands.ts';
import { arrayFromData } from './tensor-data.ts';

/**
 * Operations that write into a tensor in place, for optimizers and for loading. They are not
 * recorded for `backward()`, which throws if it needs the elements as they were before.
 */

/** Elements for `target` in its dtype, which must hold them. */
function elementsFor({ shape, size, dtype }: Tensor, source: TensorLike): NdArray {
  if (source instanceof Tensor) {
    const elements = toElements('assign', source.array.numbers, dtype);
    return NdArray.fromTypedArray(elements, source.shape, dtype);
  }
  const values = arrayFromData('assign', 'source', source, { dtype, copy: false });
  if (values.rank === 0) return movement().broadcastTo(values, shape);
  return values.rank === 1 && values.size === size ? values.withShape(shape) : values;
}

/**
 * target ← source: writes into a tensor, and into those that share its memory (by `reshape`,
 * `detach`, `stateDict`). Floats are rounded to those of the target.
 *
 * @param source a tensor; a number for all elements; nested arrays of the same shape; or a flat
 *   list or typed array of the same size, in row-major order
 * @throws ShapeError if the shapes differ; DTypeError for what is no tensor; ValueError if an
 *   integer target does not hold a number
 */
export function assign(target: Tensor, source: TensorLike): void {
  expectTarget('assign', 'target', target);
  // Kernels round to float32 as they write, but they do not read the bits of 16-bit floats.
  const isReady =
    source instanceof Tensor &&
    (source.dtype === target.dtype || (isFloating(target.dtype) && !isHalf(source.dtype)));
  if (!isReady) {
    tidy(() => assign(target, new Tensor(elementsFor(target, source))));
    return;
  }
  if (!sameShape(target.shape, source.shape)) {
    throw shapeError('assign', 'shapes must be equal', { target, source });
  }
  updates().blend(target.array, source.array, { keep: 0, add: 1 });
}

const OPTIONS = [
  'learningRate',
  'momentum',
  'weightDecay',
  'lossScale',
  'nesterov',
  'dampening',
] as const;

function expectMomentumOptions(options: MomentumOptions): void {
  const op = 'momentumStep';
  const {
    learningRate,
    momentum,
    weightDecay,
    lossScale,
    nesterov,
    dampening = 0,
  } = readOptions(op, options, OPTIONS);
  expectFinite(op, 'learningRate', learningRate);
  expectFinite(op, 'momentum', momentum);
  expectFinite(op, 'weightDecay', weightDecay);
  const isScale = Number.isFinite(lossScale) && lossScale > 0;
  expectThat(isScale, op, 'lossScale', 'a finite number > 0', lossScale);
  expectBoolean(op, 'nesterov', nesterov);
  expectFinite(op, 'dampening', dampening);
}

/**
 * One step of gradient descent with momentum, in the order of MindSpore's Momentum:
 *
 * g ← (grad + weightDecay · lossScale · w) / lossScale, v ← momentum · v + (1 − dampening) · g,
 * w ← w − learningRate · v, or w − learningRate · (g + momentum · v) with `nesterov`.
 *
 * @throws ShapeError if the shapes of parameter, velocity and gradient differ; DTypeError unless all
 *   are float32 or all float64; ValueError for options that are not finite
 * @see mindspore/nn/optim/momentum.py
 */
export function momentumStep(
  parameter: Tensor,
  velocity: Tensor,
  gradient: TensorLike,
  options: MomentumOptions,
): void {
  expectTarget('momentumStep', 'parameter', parameter);
  expectTarget('momentumStep', 'velocity', velocity);
  const slope = asTensor('momentumStep', 'gradient', gradient, parameter.dtype);
  expectMomentumOptions(options);
  const operands = { parameter, velocity, gradient: slope };
  expectSameFloating('momentumStep', operands);
  if (!sameShape(parameter.shape, velocity.shape) || !sameShape(parameter.shape, slope.shape)) {
    throw shapeError('momentumStep', 'shapes must be equal', operands);
  }
  momentum().momentumStep(parameter.array, velocity.array, slope.array, options);
}
