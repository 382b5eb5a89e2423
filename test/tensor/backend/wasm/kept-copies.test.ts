import { add, conv2d, noGrad, setBackend, type Tensor, tidy } from '@firelight/tensor';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { runtime } from '../../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { assign } from '../../../../packages/tensor/src/index.ts';
import { random } from '../../../helpers/evaluate.ts';

/**
 * Weights that do not change are packed and transformed once, and not at every inference: what was
 * made of them is kept until they change or go.
 */

/** More calls of kernels than those after which something is kept. */
const MANY = 1500;

beforeEach(() => setBackend('wasm'));
afterAll(() => setBackend('wasm'));

describe.each([
  ['3×3, by Winograd', 3, { padding: 1 }],
  ['3×3, as plain sums', 3, { padding: 1, stride: 2 }],
  ['1×1', 1, {}],
  ['in groups', 1, { groups: 2 }],
])('%s', (_, kernel, options) => {
  const x = random([1, 8, 9, 9], 1);
  const infer = (weight: Tensor): Float32Array =>
    tidy(() => noGrad(() => Float32Array.from(conv2d(x, weight, null, options).data)));
  const makeWeight = (): Tensor =>
    random([12, 'groups' in options ? 4 : 8, kernel, kernel], 2, true);

  function inferMany(weight: Tensor): Float32Array {
    let result = infer(weight);
    for (let i = 0; i < MANY; i++) result = infer(weight);
    return result;
  }

  test('results stay the same', () => {
    const weight = makeWeight();
    expect(infer(weight)).toEqual(inferMany(weight));
  });

  test('weights that changed are made anew', () => {
    const weight = makeWeight();
    inferMany(weight);
    const changed = add(weight, 1).detach();
    assign(weight, changed.data);
    expect(infer(weight)).toEqual(infer(changed));
    expect(inferMany(weight)).toEqual(infer(changed));
  });

  test('the width may change meanwhile', async () => {
    const weight = makeWeight();
    const wide = inferMany(weight);
    await setBackend('wasm', { wideVectors: false });
    expect(infer(weight)).toEqual(wide);
    expect(inferMany(weight)).toEqual(wide);
  });

  test('nothing is made any more, and all is given back with the weights', () => {
    const { arena } = runtime();
    const before = arena.usedBytes;
    const weight = makeWeight();
    inferMany(weight);
    const kept = arena.usedBytes;
    expect(kept).toBeGreaterThan(before);
    inferMany(weight);
    expect(arena.usedBytes).toBe(kept);
    weight.dispose();
    // x, and tables of this shape, may have come to stay.
    expect(arena.usedBytes).toBeLessThan(kept);
  });
});
