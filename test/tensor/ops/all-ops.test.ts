import { gradCheck, listOps, setBackend, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../helpers/relative-error.ts';
import { ADJOINT_CASES, OP_CASES } from './op-cases/index.ts';
import type { OpCall } from './op-cases/op-case.ts';

/** Backends that every operation is compared on; `reference` in float64 is the judge. */
const BACKENDS = ['reference', 'wasm'];
/** Largest error in float32, relative to the RMS. */
const FLOAT32_TOLERANCE = 2e-5;
const PROPERTY = { seed: 20161104, numRuns: 60 };

const ALL_CASES = [...OP_CASES, ...ADJOINT_CASES];
const cases = ALL_CASES.map((opCase, i) => ({
  ...opCase,
  name: `${opCase.op} (${i})`,
  // Gradients of gradients are checked once more, by differences, beside this file.
  property: { ...PROPERTY, numRuns: ADJOINT_CASES.includes(opCase) ? 15 : PROPERTY.numRuns },
}));

describe('the list of operations', () => {
  test('has a gradient check for every operation that has a gradient', () => {
    const checked = new Set(ALL_CASES.map(({ op }) => op));
    const unchecked = listOps().filter(
      ({ name, differentiable }) => differentiable && !checked.has(name),
    );
    expect(unchecked).toEqual([]);
  });

  test('has no check for an operation that does not exist', () => {
    const names = new Set(listOps().map(({ name }) => name));
    expect(ALL_CASES.filter(({ op }) => !names.has(op))).toEqual([]);
  });

  test('gives a reason for every operation without a gradient', () => {
    const without = listOps().filter(({ differentiable }) => !differentiable);
    expect(without.map(({ name }) => name).sort()).toEqual([
      'argmax',
      'argmin',
      'argsort',
      'equal',
      'greater',
      'greaterEqual',
      'less',
      'lessEqual',
      'notEqual',
      'oneHot',
    ]);
    for (const { reason } of without) expect(reason).toMatch(/\w+ \w+/);
  });
});

describe('gradients agree with numerical derivatives in float64', () => {
  test.each(cases)('$name', ({ calls, property }) => {
    fc.assert(
      fc.property(calls, ({ run, inputs }) => {
        expect(gradCheck(run, inputs)).toBeLessThanOrEqual(1e-6);
      }),
      property,
    );
  });
});

/** The output and the gradients by all inputs, in the given dtype. */
function evaluate({ run, inputs }: OpCall, dtype: 'float32' | 'float64'): Tensor[] {
  const leaves = inputs.map((input) =>
    tensor(Array.from(input.data), { shape: input.shape, dtype, requiresGrad: true }),
  );
  const output = run(...leaves);
  // A gradient that differs from element to element.
  const weights = Float64Array.from({ length: output.size }, (_, i) => Math.cos(i));
  output.backward(tensor(weights, { shape: output.shape, dtype }));
  return [output, ...leaves.flatMap((leaf) => leaf.grad ?? [])];
}

describe.each(BACKENDS)('on %s in float32, results and gradients agree with float64', (backend) => {
  afterAll(() => setBackend('reference'));

  test.each(cases)('$name', async ({ calls, property }) => {
    await fc.assert(
      fc.asyncProperty(calls, async (call) => {
        await setBackend('reference');
        const expected = evaluate(call, 'float64');
        await setBackend(backend);
        const actual = evaluate(call, 'float32');
        actual.forEach((result, i) => {
          expect(result.shape).toEqual(expected[i].shape);
          expect(relativeError(result.data, expected[i].data)).toBeLessThan(FLOAT32_TOLERANCE);
        });
      }),
      property,
    );
  });
});
