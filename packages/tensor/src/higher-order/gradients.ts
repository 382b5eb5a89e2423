import { type Delivery, runBackward } from '../autograd/backward.ts';
import { defineOp } from '../autograd/define-op.ts';
import { isGradEnabled, rejectPromise, withGrad } from '../autograd/grad-mode.ts';
import { GraphNode, type Target } from '../autograd/graph.ts';
import { Tensor } from '../autograd/tensor.ts';
import { expectBoolean, readOptions } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { isFloating } from '../core/dtype.ts';
import { AutogradError, DTypeError, ShapeError, shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { cast } from '../ops/cast.ts';
import { full, zeros } from '../ops/create.ts';
import { asTensor, type TensorLike } from '../ops/operands.ts';
import { recordedBackward } from './recorded-backward.ts';

/** How `gradients` differentiates. */
export interface GradientsOptions {
  /** Gradient of the loss by the output, of its shape; 1 for a scalar. */
  readonly gradient?: Tensor;
  /**
   * Whether the gradients get a history, so that they can be differentiated again; the graph then
   * stays, and can be walked again. False by default.
   */
  readonly createGraph?: boolean;
}

const targetOf = (tensor: Tensor): Target => tensor.node ?? tensor;

function startOf(output: Tensor, gradient: Tensor | undefined): Tensor {
  if (gradient === undefined) {
    if (output.size === 1) return full(output.shape, 1, { dtype: output.dtype });
    throw new ShapeError(
      `gradients: an output of shape ${formatShape(output.shape)} needs a gradient of that shape; ` +
        'without one, reduce it to a scalar first (sum or mean)',
    );
  }
  if (!(gradient instanceof Tensor)) {
    throw new DTypeError(`gradients: gradient must be a Tensor, got ${describeValue(gradient)}`);
  }
  if (!sameShape(gradient.shape, output.shape)) {
    throw shapeError('gradients', 'the gradient must have the shape of the output', {
      output,
      gradient,
    });
  }
  return cast(gradient, output.dtype);
}

/** The gradients without history; the graph is freed. */
function firstOrder(output: Tensor, start: Tensor, targets: ReadonlySet<Target>) {
  const found = new Map<Target, Tensor>();
  const delivery: Delivery = {
    targets,
    deliver(target, gradient) {
      gradient.storage.escape();
      if (targets.has(target)) found.set(target, new Tensor(gradient));
    },
  };
  runBackward(targetOf(output), start.array, delivery);
  return found;
}

/**
 * Gradients of one tensor by others, which are returned and not added to `grad`: for each input x the
 * sum Σ gradient · ∂output/∂x. Inputs may be results of operations; one that the output does not depend
 * on has the gradient 0.
 *
 * @param inputs tensors with `requiresGrad`, or results that depend on such
 * @returns a tensor of the shape of each input
 * @throws AutogradError if nothing was recorded or the graph was freed before; with `createGraph`, if an
 *   operation on the way reads elements in its `backward`, or saves what it worked out
 * @throws ShapeError if `gradient` is missing for a non-scalar or has another shape
 * @see torch.autograd.grad, with `create_graph`
 */
export function gradients(
  output: Tensor,
  inputs: readonly Tensor[],
  options: GradientsOptions = {},
): Tensor[] {
  const { gradient, createGraph = false } = readOptions('gradients', options, [
    'gradient',
    'createGraph',
  ]);
  expectBoolean('gradients', 'createGraph', createGraph);
  if (!(output instanceof Tensor)) {
    throw new DTypeError(`gradients: output must be a Tensor, got ${describeValue(output)}`);
  }
  if (!Array.isArray(inputs) || !Array.from(inputs).every((x) => x instanceof Tensor)) {
    throw new DTypeError(
      `gradients: inputs must be a list of tensors, got ${describeValue(inputs)}`,
    );
  }
  const constant = inputs.findIndex((input) => !input.requiresGrad);
  if (!output.requiresGrad || constant !== -1) {
    const what = output.requiresGrad ? `input ${constant}` : 'the output';
    const { shape } = output.requiresGrad ? inputs[constant] : output;
    throw new AutogradError(
      `gradients: ${what} (shape ${formatShape(shape)}) does not depend on any tensor with ` +
        'requiresGrad, or was computed inside noGrad()',
    );
  }
  const start = startOf(output, gradient);
  const targets = new Set(inputs.map(targetOf));
  const found = createGraph
    ? withGrad(() => recordedBackward(targetOf(output), start, targets))
    : firstOrder(output, start, targets);
  return inputs.map(
    (input) => found.get(targetOf(input)) ?? zeros(input.shape, { dtype: input.dtype }),
  );
}

/** A tensor with the same elements, and a node of its own to ask for the gradient of. */
const identity = defineOp<[NdArray], null, null>('identity', {
  forward: ([x]) => ({ y: x.withShape(x.shape), saved: null }),
  backward: (gradOut) => [gradOut],
});

/** Whether a result depends on any leaf but `point`: its gradient may then be wanted by that. */
function dependsOnOthers(result: Tensor, point: Tensor): boolean {
  const visited = new Set<Target>([targetOf(result)]);
  for (const target of visited) {
    if (!(target instanceof GraphNode)) {
      if (target !== point) return true;
    } else {
      for (const edge of target.edges) if (edge !== null) visited.add(edge);
    }
  }
  return false;
}

/**
 * The function that computes the gradient of `f` by its first argument: for f: x ↦ y with a scalar y,
 * `grad(f)(x)` is ∂y/∂x, of the shape of x. It can be given to `grad` again, or be part of a loss: what
 * it returns has a history wherever anything but x needs a gradient (x itself does, where it has
 * `requiresGrad`), unless it is called inside `noGrad`.
 *
 * A Hessian-vector product is `grad((x) => sum(mul(grad(f)(x), v)))(x)`.
 *
 * @param f may take further arguments; gives a tensor of one element
 * @throws DTypeError if x is not floating, or f gives no tensor; ShapeError unless it gives one element;
 *   ValueError if f is async; AutogradError as `gradients`
 * @see jax.grad, tf.grad
 */
export function grad<Rest extends readonly unknown[]>(
  f: (x: Tensor, ...rest: Rest) => Tensor,
): (x: TensorLike, ...rest: Rest) => Tensor {
  return (x, ...rest) => {
    const input = asTensor('grad', 'x', x);
    if (!isFloating(input.dtype)) {
      throw new DTypeError(`grad: x must be float32 or float64, got ${input.dtype}`);
    }
    const isRecorded = isGradEnabled();
    return withGrad(() => {
      const point =
        isRecorded && input.requiresGrad
          ? identity([input], null)
          : new Tensor(input.array, { requiresGrad: true });
      const y = f(point, ...rest);
      rejectPromise('grad', y);
      if (!(y instanceof Tensor)) {
        throw new DTypeError(`grad: the function must give a tensor, got ${describeValue(y)}`);
      }
      if (y.size !== 1) {
        throw new ShapeError(
          `grad: the function must give one element, got shape ${formatShape(y.shape)}; take a sum or mean`,
        );
      }
      if (!y.requiresGrad) return zeros(point.shape, { dtype: point.dtype });
      const createGraph = isRecorded && dependsOnOthers(y, point);
      return gradients(y, [point], { createGraph })[0];
    });
  };
}
