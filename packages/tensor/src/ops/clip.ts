import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { isFloating } from '../core/dtype.ts';
import { toElement } from '../core/elements.ts';
import { ValueError } from '../core/errors.ts';
import { defineUnary } from './define-unary.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { asNumeric } from './promotion.ts';

const clipOp = defineUnary('clip', {
  from: 'input',
  f: (x, low, high) => Math.min(Math.max(x, low), high),
  gradient: (x, g, low, high) => (x >= low && x <= high ? g : 0),
  curvature: 'zero',
  lanes: {
    // IEEE minimum and maximum keep NaN, and the minimum comes last, so that `high` wins.
    f: (_, x, [low, high]) => x.set(x.max(low).min(high)),
    gradient(f, x, g, [low, high]) {
      const isInside = x.atLeast(low).and(x.atMost(high));
      x.set(isInside.select(g, f.constants.splat(0)));
    },
  },
});

const NO_BOUND = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** A bound that the dtype must hold, unless it bounds nothing. */
function expectBound(name: 'min' | 'max', bound: number, { dtype }: Tensor): void {
  if (bound === NO_BOUND[name]) return;
  if (isFloating(dtype)) {
    expectThat(typeof bound === 'number' && !Number.isNaN(bound), 'clip', name, 'a number', bound);
  } else {
    toElement('clip', name, bound, dtype);
  }
}

/**
 * y = x brought into [min, max]; NaN stays. The gradient passes where x is inside or at a bound.
 *
 * @param options `min`, `max`: either may be left out; where min > max, y is max
 * @throws ValueError without a bound, or for one that is no number, or that an integer dtype does not hold
 * @see numpy.clip, torch.clamp
 */
export function clip(x: TensorLike, options: { min?: number; max?: number }): Tensor {
  const { min, max } = readOptions('clip', options, ['min', 'max']);
  if (min === undefined && max === undefined) {
    throw new ValueError(`clip: needs min, max or both, got ${describeValue(options)}`);
  }
  const input = asNumeric(asTensor('clip', 'x', x));
  const [low, high] = [min ?? NO_BOUND.min, max ?? NO_BOUND.max];
  expectBound('min', low, input);
  expectBound('max', high, input);
  return clipOp(input, low, high);
}

/**
 * y = min(max(0, x), 6).
 *
 * @see Sandler et al., arXiv:1801.04381
 */
export function relu6(x: TensorLike): Tensor {
  return clipOp(asNumeric(asTensor('relu6', 'x', x)), 0, 6);
}
