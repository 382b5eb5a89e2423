import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { isFloating } from '../core/dtype.ts';
import { toElement } from '../core/elements.ts';
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

// Apart from clip(x, 0, 6) only in the gradient at the bounds, which is 0 as that of `relu` at 0.
const relu6Op = defineUnary('relu6', {
  from: 'input',
  f: (x) => Math.min(Math.max(x, 0), 6),
  gradient: (x, g) => (x <= 0 || x >= 6 ? 0 : g),
  curvature: 'zero',
  lanes: {
    f: (f, x) => x.set(x.max(f.constants.splat(0)).min(f.constants.splat(6))),
    gradient(f, x, g) {
      const { splat } = f.constants;
      const isCut = x.atMost(splat(0)).or(x.atLeast(splat(6)));
      x.set(isCut.select(splat(0), g));
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
 * @param options `min`, `max`: either may be left out, or both; where min > max, y is max
 * @throws ValueError for a bound that is no number, or that an integer dtype does not hold
 * @see numpy.clip, torch.clamp
 */
export function clip(x: TensorLike, options: { min?: number; max?: number } = {}): Tensor {
  const { min, max } = readOptions('clip', options, ['min', 'max']);
  const input = asNumeric(asTensor('clip', 'x', x));
  const [low, high] = [min ?? NO_BOUND.min, max ?? NO_BOUND.max];
  expectBound('min', low, input);
  expectBound('max', high, input);
  return clipOp(input, low, high);
}

/**
 * y = min(max(0, x), 6); NaN stays. The gradient at 0 and at 6 is 0.
 *
 * @see Sandler et al., arXiv:1801.04381
 */
export function relu6(x: TensorLike): Tensor {
  return relu6Op(asNumeric(asTensor('relu6', 'x', x)));
}
