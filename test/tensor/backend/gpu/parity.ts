import {
  type BackendOptions,
  type Conv2dBranchOptions,
  conv2d,
  conv2dBranches,
  setBackend,
  type Tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { seeds } from '../../../helpers/arbitraries.ts';
import { checkConvolutions } from '../../../helpers/convolution-parity.ts';
import { evaluate, random } from '../../../helpers/evaluate.ts';
import { relativeError } from '../../../helpers/relative-error.ts';

/**
 * Compares convolutions and all their gradients with the reference backend. Without vitest, so that
 * it also runs in worker threads; what fails throws.
 */

/** Largest error as a share of the RMS. */
const TOLERANCE = 1e-5;

async function compare(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: BackendOptions,
): Promise<void> {
  await setBackend('reference');
  const expected = evaluate(run, inputs);
  await setBackend('gpu', options);
  evaluate(run, inputs).forEach((actual, i) => {
    const error = relativeError(actual.data, expected[i].data);
    if (!(error <= TOLERANCE)) {
      throw new Error(`${i === 0 ? 'the output' : `gradient ${i}`} is off by ${error} of its RMS`);
    }
  });
}

/** Random windows, one or several side by side. */
export function checkRandomConvolutions(
  options: BackendOptions,
  { numRuns }: { readonly numRuns: number },
): Promise<void> {
  // Software GPUs are slow; every other device computes the same.
  const limits = { maxGroupChannels: 9, budget: 20_000 };
  return checkConvolutions({ backend: 'gpu', options }, { ...limits, numRuns });
}

const activations = fc.constantFrom('none' as const, 'relu' as const);

const branch = fc.record({
  outChannels: fc.integer({ min: 1, max: 9 }),
  kernel: fc.constantFrom(1, 3),
  isGrouped: fc.boolean(),
});

/** Several convolutions of one input, with outputs that start in the middle of a quad. */
export async function checkBranches(
  options: BackendOptions,
  { numRuns }: { readonly numRuns: number },
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(branch, { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 1, max: 3 }),
      activations,
      seeds,
      async (branches, half, activation, seed) => {
        const channels = 2 * half;
        const windows = branches.map(({ outChannels, kernel, isGrouped }) => {
          const groups = isGrouped ? 2 : 1;
          const weight = [groups * outChannels, channels / groups, kernel, kernel];
          return { weight, groups, padding: (kernel - 1) / 2 };
        });
        const operands = windows.flatMap(({ weight }, i) => [
          random(weight, seed + 2 * i + 1, true),
          random([weight[0]], seed + 2 * i + 2, true),
        ]);
        const run = (x: Tensor, ...weightsAndBiases: Tensor[]): Tensor =>
          conv2dBranches(
            x,
            windows.map(
              ({ groups, padding }, i): Conv2dBranchOptions => ({
                weight: weightsAndBiases[2 * i],
                bias: weightsAndBiases[2 * i + 1],
                groups,
                padding,
              }),
            ),
            { activation },
          );
        await compare(run, [random([2, channels, 5, 4], seed, true), ...operands], options);
      },
    ),
    { seed: 20161104, numRuns },
  );
}

/** Shapes large enough for partial sums over images and for many quads. */
export async function checkLargeConvolutions(options: BackendOptions): Promise<void> {
  const cases = [
    { x: [5, 3, 31, 27], weight: [10, 3, 7, 7], window: { stride: 2 } },
    { x: [3, 70, 9, 9], weight: [5, 70, 1, 1], window: {} },
    { x: [2, 24, 13, 11], weight: [36, 8, 3, 3], window: { groups: 3, padding: 1 } },
    { x: [2, 9, 12, 12], weight: [9, 1, 3, 3], window: { groups: 9, padding: 'same' } },
  ] as const;
  for (const { x, weight, window } of cases) {
    const inputs = [random(x, 1, true), random(weight, 2, true), random([weight[0]], 3, true)];
    await compare((input, w, bias) => conv2d(input, w, bias, window), inputs, options);
  }
}
