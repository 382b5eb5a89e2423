import { checkGradient, leadingTo, reverseTopologicalOrder } from '../autograd/backward.ts';
import { GraphNode, type Target } from '../autograd/graph.ts';
import { mapArrays, SavedArray } from '../autograd/saved-array.ts';
import { Tensor } from '../autograd/tensor.ts';
import { withKernels } from '../backend/registry.ts';
import { isFloating } from '../core/dtype.ts';
import { AutogradError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape } from '../core/shape.ts';
import { add } from '../ops/arithmetic.ts';
import { reshape } from '../ops/reshape.ts';
import { arrayOf, TracedArray, tensorOf } from '../ops/traced-array.ts';
import { recordedKernels } from './recorded-kernels.ts';

/** A tensor with the elements of an array whose gradient goes to `target`. */
function tensorBefore(array: NdArray, target: Target): Tensor {
  if (!(target instanceof GraphNode)) return target as Tensor; // All leaves are tensors.
  const made = new Tensor(array.withShape(target.shape), { requiresGrad: true, node: target });
  return reshape(made, array.shape);
}

/** An array that an operation saved, with the history that it has as its input or output. */
function traced(array: NdArray, node: GraphNode): NdArray {
  if (!(array instanceof SavedArray) || !isFloating(array.dtype)) return array;
  const { origin } = array;
  if (origin === null) {
    return new TracedArray(array, () => {
      throw new AutogradError(
        `gradients: backward of ${node.op} needs an array ${formatShape(array.shape)} that its forward ` +
          'worked out, whose own gradient is not known; save inputs or outputs alone and work it out ' +
          'in backward, with kernels()',
      );
    });
  }
  const target = origin === 'output' ? node : node.edges[origin];
  return target === null ? array : new TracedArray(array, () => tensorBefore(array, target));
}

/**
 * Reverse-mode differentiation whose results have a history of their own, so that they can be
 * differentiated in their turn. The graph stays.
 *
 * @returns the gradients of `Σ gradOut · output` by those of the targets that it depends on
 */
export function recordedBackward(
  root: Target,
  gradOut: Tensor,
  targets: ReadonlySet<Target>,
): ReadonlyMap<Target, Tensor> {
  const order = root instanceof GraphNode ? reverseTopologicalOrder(root) : [];
  const leading = leadingTo(targets, order);
  const gradients = new Map<Target, Tensor>([[root, gradOut]]);
  for (const node of order) {
    const gradient = gradients.get(node);
    if (!targets.has(node)) gradients.delete(node);
    const { edges } = node;
    const wanted = edges.map((edge) => edge !== null && leading.has(edge));
    if (gradient === undefined || !wanted.includes(true)) continue;
    const { backward, saved } = node.call;
    const inputs = mapArrays(saved, 'saved', (array) => traced(array, node));
    const results = withKernels(recordedKernels, () => backward(arrayOf(gradient), inputs, wanted));
    edges.forEach((edge, i) => {
      const result = results[i] ?? null;
      if (edge === null || result === null || !wanted[i]) return;
      checkGradient(node, edge, result);
      const present = gradients.get(edge);
      const further = tensorOf(result);
      gradients.set(edge, present === undefined ? further : add(present, further));
    });
  }
  return gradients;
}
