import { conv2d, Generator, setBackend, type Tensor, tensor } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluate, random } from '../../../helpers/evaluate.ts';
import { relativeError } from '../../../helpers/relative-error.ts';
import { PLAIN_ERROR, WINOGRAD_ERROR } from '../../../helpers/tolerances.ts';

// What packages/tensor/README.md says of the errors of 3×3 convolutions, over random ones.

const CONVOLUTIONS = 100;
/** Products of the largest. */
const MOST = 1e7;

afterAll(() => setBackend('wasm'));

/** A number from `least` to `most`, small ones more often. */
const length = (generator: Generator, least: number, most: number): number =>
  Math.round(least * (most / least) ** generator.uniform(1)[0]);

/** Sizes [N, C, O, H, W] of convolutions that are worth Winograd's algorithm. */
function randomSizes(): number[][] {
  const generator = new Generator(20161104);
  const sizes: number[][] = [];
  while (sizes.length < CONVOLUTIONS) {
    const [C, O] = [length(generator, 12, 500), length(generator, 12, 500)];
    const [H, W] = [length(generator, 4, 56), length(generator, 4, 56)];
    const N = length(generator, 1, 16);
    if (N * C * O * H * W * 9 <= MOST) sizes.push([N, C, O, H, W]);
  }
  return sizes;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1];

function asFloat64({ data, shape }: Tensor): Tensor {
  return tensor(Float64Array.from(data), { shape, requiresGrad: true });
}

describe('the largest error of an element, as a share of the root mean square', () => {
  /** By Winograd and by plain sums, for the output and for the gradients by input and weight. */
  const errors = { winograd: [[], [], []] as number[][], plain: [[], [], []] as number[][] };

  beforeAll(async () => {
    const run = (x: Tensor, weight: Tensor) => conv2d(x, weight, null, { padding: 1 });
    for (const [i, [N, C, O, H, W]] of randomSizes().entries()) {
      const inputs = [random([N, C, H, W], 2 * i, true), random([O, C, 3, 3], 2 * i + 1, true)];
      await setBackend('reference');
      const expected = evaluateExactly(run, inputs);
      for (const [name, winograd] of [['winograd', true] as const, ['plain', false] as const]) {
        await setBackend('wasm', { winograd });
        evaluate(run, inputs).forEach(({ data }, place) => {
          errors[name][place].push(relativeError(data, expected[place].data));
        });
      }
    }
  }, 120_000);

  test.each([
    ['the output', 0],
    ['the gradient by the input', 1],
    ['the gradient by the weight', 2],
  ])('of %s is at most 2e-5, and about 5e-6 in the median', (_, place) => {
    expect(Math.max(...errors.winograd[place])).toBeLessThan(WINOGRAD_ERROR);
    expect(median(errors.winograd[place])).toBeLessThan(6e-6);
    expect(Math.max(...errors.plain[place])).toBeLessThan(PLAIN_ERROR);
  });

  test('is about twice that of plain sums', () => {
    const [winograd, plain] = [errors.winograd, errors.plain].map((all) => median(all.flat()));
    expect(winograd / plain).toBeGreaterThan(1.5);
    expect(winograd / plain).toBeLessThan(3);
  });
});

/** The same in float64, for the same gradient by the output. */
function evaluateExactly(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): Tensor[] {
  const leaves = inputs.map(asFloat64);
  const y = run(...leaves);
  y.backward(asFloat64(random(y.shape, 99)));
  return [y, ...leaves.map(({ grad }) => grad as Tensor)];
}
