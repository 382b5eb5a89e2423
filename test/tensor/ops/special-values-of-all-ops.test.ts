import { Generator, setBackend, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { OP_CASES } from './op-cases/index.ts';
import type { OpCall } from './op-cases/op-case.ts';

/**
 * Every operation, with the shapes and options of the other tests, on numbers that ordinary generators
 * never draw. `reference` in float64, which is checked against PyTorch in `special-values.test.ts`, is
 * the judge.
 */

const TINY = 1e-40;
const SPECIAL = [0, -0, TINY, -TINY, Infinity, -Infinity, Number.NaN];
const HUGE = [1e30, -1e30];
/** Largest error as a share of the largest finite number that went in or came out. */
const TOLERANCE = 2e-5;

interface Numbers {
  /** Whether the first input, all inputs, or only it and the gradient of the output have them. */
  readonly inputs: 'first' | 'all';
  readonly gradOut: boolean;
  readonly values: readonly number[];
}

const FINITE = SPECIAL.filter(Number.isFinite);
const NOT_TINY = SPECIAL.filter((value) => Math.abs(value) !== TINY);

/**
 * What an operation may meet with the same result everywhere. A product of two huge numbers, the
 * variance of one, and a quotient by a tiny one leave float32; what a convolution makes of an infinite
 * weight or gradient beside padding is not promised.
 */
function numbersOf(op: string): Numbers[] {
  const special = { values: SPECIAL, inputs: 'all', gradOut: true } as const;
  const huge = { values: [...SPECIAL, ...HUGE], inputs: 'first', gradOut: false } as const;
  switch (op) {
    case 'conv2d':
      return [
        { ...special, inputs: 'first', gradOut: false },
        { ...special, values: FINITE },
        huge,
      ];
    case 'convTranspose2d': // Nor of infinite pixels: they meet zeros beside the image.
      return [{ ...special, values: FINITE }];
    case 'div':
    case 'pow':
    case 'reciprocal':
    case 'rsqrt':
    case 'scatter': // Of products: those of two tiny numbers are 0 in float32.
      return [{ ...special, values: NOT_TINY }];
    case 'mod': // Rounding decides whether a quotient of large numbers is whole.
      return [{ ...special, values: [0, -0], inputs: 'first' }];
    case 'batchNorm2d': // After an infinite gradient, rounding decides between ±∞ and NaN.
      return [{ ...special, gradOut: false }];
    case 'geluTanh': // An infinite gradient meets derivatives that are 0 in float32 alone.
      return [{ ...special, gradOut: false }, huge];
    case 'cast': // Its case multiplies what it cast.
      return [special];
    default:
      return [special, huge];
  }
}

/** The tensor with about a third of its elements replaced. */
function spiked(x: Tensor, values: readonly number[], seed: number): Tensor {
  const generator = new Generator(seed);
  const draws = generator.uniform(2 * x.size);
  const data = Float64Array.from(x.data, (value, i) =>
    draws[2 * i] < 0.35 ? values[Math.floor(draws[2 * i + 1] * values.length)] : Math.fround(value),
  );
  return tensor(data, { shape: x.shape });
}

/** The output and the gradients by all inputs. */
function evaluate(
  { run, inputs }: OpCall,
  dtype: 'float32' | 'float64',
  gradOut: (y: Tensor) => Tensor,
): Tensor[] {
  const leaves = inputs.map((input) =>
    tensor(Array.from(input.data), { shape: input.shape, dtype, requiresGrad: true }),
  );
  const y = run(...leaves);
  y.backward(tensor(Array.from(gradOut(y).data), { shape: y.shape, dtype }));
  return [y, ...leaves.map((leaf) => leaf.grad as Tensor)];
}

function largestFinite(tensors: readonly Tensor[]): number {
  let largest = 0;
  for (const { data } of tensors) {
    for (const value of data) {
      if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
    }
  }
  return largest;
}

describe.each([
  ['reference', {}],
  ['wasm', {}],
  ['wasm', { relaxedSimd: false, winograd: false }],
] as const)('on %s %j in float32, as in float64', (backend, options) => {
  afterAll(() => setBackend('wasm'));

  test.each(OP_CASES.map((opCase, i) => ({ ...opCase, name: `${opCase.op} (${i})` })))(
    '$name',
    async ({ op, calls }) => {
      const choices = fc.constantFrom(...numbersOf(op));
      await fc.assert(
        fc.asyncProperty(calls, choices, fc.nat(), async (call, chosen, seed) => {
          const inputs = call.inputs.map((input, i) =>
            i === 0 || chosen.inputs === 'all'
              ? spiked(input, chosen.values, seed + i)
              : spiked(input, [0], seed + i),
          );
          const gradOut = (y: Tensor): Tensor => {
            const plain = tensor(
              Float64Array.from(y.data, (_, i) => Math.cos(i)),
              {
                shape: y.shape,
              },
            );
            return chosen.gradOut
              ? spiked(plain, chosen.values, seed + 99)
              : spiked(plain, [0], seed);
          };
          await setBackend('reference');
          const expected = evaluate({ ...call, inputs }, 'float64', gradOut);
          await setBackend(backend, options);
          const actual = evaluate({ ...call, inputs }, 'float32', gradOut);
          const scale = largestFinite([...inputs, ...expected]);
          actual.forEach((result, i) => {
            const wrong = Array.from(result.data).flatMap((value, j) => {
              const exact = Math.fround(expected[i].data[j]);
              const isClose = Number.isFinite(exact)
                ? Math.abs(value - exact) <= TOLERANCE * scale
                : Object.is(value, exact);
              return isClose ? [] : [`${i === 0 ? 'y' : `grad ${i}`}[${j}] ${value}, not ${exact}`];
            });
            expect(wrong).toEqual([]);
          });
        }),
        { seed: 20161104, numRuns: 25 },
      );
    },
  );
});
