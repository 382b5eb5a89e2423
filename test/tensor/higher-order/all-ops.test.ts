import {
  add,
  grad,
  gradCheck,
  mul,
  reshape,
  slice,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OP_CASES } from '../ops/op-cases/index.ts';
import type { OpCall } from '../ops/op-cases/op-case.ts';

/** Weights that differ from element to element, so that no part of a gradient cancels. */
function weights(size: number): Tensor {
  return tensor(Float64Array.from({ length: size }, (_, i) => Math.cos(1 + i)));
}

/** The inputs, one after the other in a flat tensor, and a scalar function of it. */
function flattened({ inputs, run }: OpCall): { x: Tensor; f: (x: Tensor) => Tensor } {
  const elements = inputs.flatMap((input) => [...input.data]);
  const f = (x: Tensor): Tensor => {
    let start = 0;
    const parts = inputs.map(({ shape, size }) => {
      const part = reshape(slice(x, [[start, start + size]]), shape);
      start += size;
      return part;
    });
    const y = run(...parts);
    // Also linear operations have a second derivative in this.
    return sum(mul(mul(reshape(y, [-1]), add(reshape(y, [-1]), 2)), weights(y.size)));
  };
  return { x: tensor(Float64Array.from(elements)), f };
}

describe('gradients of gradients agree with numerical derivatives in float64', () => {
  test.each(OP_CASES.map((opCase, i) => ({ ...opCase, name: `${opCase.op} (${i})` })))(
    '$name',
    ({ calls }) => {
      fc.assert(
        fc.property(calls, (call) => {
          const { x, f } = flattened(call);
          expect(gradCheck(grad(f), [x], { directions: 1 })).toBeLessThanOrEqual(1e-6);
        }),
        { seed: 20161104, numRuns: 15 },
      );
    },
  );
});
