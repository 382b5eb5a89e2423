import { casts, updates } from '../backend/kernels.ts';
import { withBackend } from '../backend/registry.ts';
import { describeValue } from '../core/describe.ts';
import { AutogradError, DTypeError, ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { Generator } from '../core/random.ts';
import { formatShape } from '../core/shape.ts';
import { noGrad } from './grad-mode.ts';
import { Tensor } from './tensor.ts';

/** How `gradCheck` compares a gradient with differences. */
export interface GradCheckOptions {
  /** Largest relative error that passes; 1e-6 by default. */
  readonly tolerance?: number;
  /** Distance of the evaluations for the numerical derivative; 1e-3 by default. */
  readonly step?: number;
  /** Number of random pairs of directions; 3 by default. */
  readonly directions?: number;
  readonly generator?: Generator;
}

function randomLike(array: NdArray, generator: Generator): NdArray {
  return NdArray.fromTypedArray(generator.normal(array.size), array.shape, 'float64');
}

function dot(a: NdArray, b: NdArray): number {
  const other = b.data;
  let sum = 0;
  a.data.forEach((value, i) => {
    sum += value * other[i];
  });
  return sum;
}

/** x + t · u for every input. */
function shifted(inputs: readonly NdArray[], directions: readonly NdArray[], t: number): Tensor[] {
  return inputs.map((x, i) => {
    const moved = casts().cast(x, 'float64');
    updates().blend(moved, directions[i], { keep: 1, add: t });
    return new Tensor(moved);
  });
}

/**
 * Checks the gradients of a function against numerical derivatives, in float64 on the reference
 * backend.
 *
 * For independent random directions u (of the inputs) and v (of the output) it compares
 * ⟨v, J·u⟩, by the fourth-order central difference of ⟨v, f(x + t·u)⟩, with ⟨Jᵀ·v, u⟩, by
 * `backward`. A missing, wrong or transposed Jacobian changes one but not the other. Keep the inputs
 * away from kinks (ReLU at 0, ties of a maximum) by more than a few `step`s, and draw no new random
 * numbers inside `fn`.
 *
 * @param fn must give the same output for the same inputs
 * @param inputs floating tensors; they are converted to float64 and not changed
 * @returns the largest relative error found
 * @throws DTypeError if an input is no tensor
 * @throws AutogradError if it is above `tolerance`, with both values
 */
export function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): number {
  const { tolerance = 1e-6, step = 1e-3, directions = 3, generator = new Generator(0) } = options;
  if (!Array.isArray(inputs) || !inputs.every((input) => input instanceof Tensor)) {
    throw new DTypeError(
      `gradCheck: inputs must be a list of tensors, got ${describeValue(inputs)}`,
    );
  }
  if (inputs.length === 0) throw new ValueError('gradCheck: needs at least one input');
  return withBackend('reference', () => {
    const points = inputs.map((input) => casts().cast(input.array, 'float64'));
    let worst = 0;
    for (let direction = 0; direction < directions; direction++) {
      const leaves = points.map((x) => new Tensor(x, { requiresGrad: true }));
      const output = fn(...leaves);
      const v = randomLike(output.array, generator);
      const u = points.map((x) => randomLike(x, generator));
      output.backward(new Tensor(v));
      const gradients = leaves.map(
        (leaf) => leaf.grad?.array ?? NdArray.zeros(leaf.shape, 'float64'),
      );
      const analytic = gradients.reduce((sum, gradient, i) => sum + dot(gradient, u[i]), 0);

      const along = (t: number): number => noGrad(() => dot(v, fn(...shifted(points, u, t)).array));
      const numeric =
        (8 * (along(step) - along(-step)) - (along(2 * step) - along(-2 * step))) / (12 * step);

      // The size that ⟨Jᵀ·v, u⟩ has for most directions: random signs may cancel in this one.
      const typical = Math.sqrt(
        gradients.reduce((sum, gradient) => sum + dot(gradient, gradient), 0),
      );
      const scale = Math.max(Math.abs(analytic), Math.abs(numeric), typical);
      const error = scale === 0 ? 0 : Math.abs(analytic - numeric) / scale;
      // Negated, so that NaN fails too.
      if (!(error <= tolerance)) {
        throw new AutogradError(
          `gradCheck: backward gives ${analytic} along a random direction, the numerical derivative ` +
            `is ${numeric} (relative error ${error.toExponential(1)} > ${tolerance}); input shapes ` +
            inputs.map((input) => formatShape(input.shape)).join(', '),
        );
      }
      worst = Math.max(worst, error);
    }
    return worst;
  });
}
