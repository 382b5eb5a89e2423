import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { isFloating } from '../core/dtype.ts';
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

function expectBound(name: string, bound: number, { dtype }: Tensor): void {
  if (isFloating(dtype)) {
    expectThat(typeof bound === 'number' && !Number.isNaN(bound), 'clip', name, 'a number', bound);
  } else {
    const isWhole = Number.isInteger(bound) || Math.abs(bound) === Number.POSITIVE_INFINITY;
    expectThat(isWhole, 'clip', name, `a whole number beside ${dtype}`, bound);
  }
}

/**
 * y = x brought into [min, max]; NaN stays. The gradient passes where x is inside or at a bound.
 *
 * @param options `min`, `max`: either may be left out; where min > max, y is max
 * @throws ValueError without a bound, or for one that is no number or no whole number beside integers
 * @see numpy.clip, torch.clamp
 */
export function clip(x: TensorLike, options: { min?: number; max?: number }): Tensor {
  const { min, max } = readOptions('clip', options, ['min', 'max']);
  if (min === undefined && max === undefined) {
    throw new ValueError(`clip: needs min, max or both, got ${describeValue(options)}`);
  }
  const input = asNumeric(asTensor('clip', 'x', x));
  const [low, high] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
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
