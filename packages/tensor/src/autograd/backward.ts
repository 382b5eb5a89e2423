import { kernels } from '../backend/registry.ts';
import { AutogradError } from '../core/errors.ts';
import { type ArrayStorage, withMemoryScope } from '../core/memory.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { GraphNode, type Leaf } from './graph.ts';

/** All operations that `root` depends on, each after everything that depends on it. */
function reverseTopologicalOrder(root: GraphNode): GraphNode[] {
  const order: GraphNode[] = [];
  const visited = new Set<GraphNode>([root]);
  // An explicit stack: a recursive walk would overflow on deep graphs.
  const stack = [{ node: root, nextEdge: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.node.isConsumed) {
      throw new AutogradError(
        `backward: the graph through '${top.node.op}' was already used and freed by another ` +
          'backward(). Run the forward computation again, or add the losses and call backward once.',
      );
    }
    if (top.nextEdge === top.node.edges.length) {
      order.push(top.node);
      stack.pop();
      continue;
    }
    const edge = top.node.edges[top.nextEdge++];
    if (edge instanceof GraphNode && !visited.has(edge)) {
      visited.add(edge);
      stack.push({ node: edge, nextEdge: 0 });
    }
  }
  return order.reverse();
}

/**
 * Gradients on their way. Several may share one storage (the gradient of `a + b` goes to both
 * unchanged), so storages are counted: only an array with one owner is added to in place, and one
 * with no owner left is released at once.
 */
class PendingGradients {
  readonly #gradients = new Map<GraphNode | Leaf, NdArray>();
  readonly #owners = new Map<ArrayStorage, number>();

  add(target: GraphNode | Leaf, gradient: NdArray): void {
    const present = this.#gradients.get(target);
    if (present === undefined) {
      this.#own(gradient);
      this.#gradients.set(target, gradient);
    } else if (this.isExclusive(present)) {
      kernels().blend(present, gradient, { keep: 1, add: 1 });
      this.#releaseUnowned(gradient);
    } else {
      const sum = kernels().binary('add', present, gradient);
      this.#own(sum);
      this.#gradients.set(target, sum);
      this.drop(present);
      this.#releaseUnowned(gradient);
    }
  }

  take(target: GraphNode | Leaf): NdArray | undefined {
    const gradient = this.#gradients.get(target);
    this.#gradients.delete(target);
    return gradient;
  }

  /** Whether this array has one owner and was made during this backward pass. */
  isExclusive(gradient: NdArray): boolean {
    return this.#owners.get(gradient.storage) === 1 && gradient.storage.isOwnedByCurrentScope;
  }

  drop(gradient: NdArray): void {
    const owners = (this.#owners.get(gradient.storage) ?? 1) - 1;
    this.#owners.set(gradient.storage, owners);
    this.#releaseUnowned(gradient);
  }

  #own(gradient: NdArray): void {
    this.#owners.set(gradient.storage, (this.#owners.get(gradient.storage) ?? 0) + 1);
  }

  #releaseUnowned({ storage }: NdArray): void {
    if ((this.#owners.get(storage) ?? 0) > 0) return;
    this.#owners.delete(storage);
    if (storage.isOwnedByCurrentScope) storage.release();
  }
}

function checkGradient(node: GraphNode, target: GraphNode | Leaf, gradient: NdArray): void {
  if (!sameShape(gradient.shape, target.shape)) {
    throw new AutogradError(
      `backward of ${node.op}: the gradient has shape ${formatShape(gradient.shape)}, ` +
        `its input ${formatShape(target.shape)}`,
    );
  }
}

/**
 * Reverse-mode differentiation: adds to every leaf under `root` the gradient of
 * `Σ gradOut · output`, and frees the graph on the way.
 */
export function runBackward(root: GraphNode | Leaf, gradOut: NdArray): void {
  const order = root instanceof GraphNode ? reverseTopologicalOrder(root) : [];
  withMemoryScope(
    () => {
      const pending = new PendingGradients();
      const leaves = new Set<Leaf>();
      pending.add(root, gradOut);
      if (!(root instanceof GraphNode)) leaves.add(root);
      for (const node of order) {
        const gradient = pending.take(node);
        const { edges } = node;
        const backward = node.consume();
        if (gradient === undefined) continue;
        const results = withMemoryScope(
          () => backward(gradient),
          (made) => made.flatMap((array) => (array === null ? [] : [array.storage])),
        );
        edges.forEach((edge, i) => {
          const result = results[i] ?? null;
          if (edge === null || result === null) return;
          checkGradient(node, edge, result);
          pending.add(edge, result);
          if (!(edge instanceof GraphNode)) leaves.add(edge);
        });
        pending.drop(gradient);
      }
      for (const leaf of leaves) {
        const gradient = pending.take(leaf) as NdArray; // Added above together with the leaf.
        // A leaf keeps its gradient, so it needs an array of its own.
        const exclusive = pending.isExclusive(gradient);
        leaf.accumulateGrad(exclusive ? gradient : kernels().cast(gradient, gradient.dtype));
        if (!exclusive) pending.drop(gradient);
      }
    },
    () => [],
  );
}
