import { binaryFunctions, casts, updates } from '../backend/kernels.ts';
import { AutogradError } from '../core/errors.ts';
import { type ArrayStorage, withMemoryScope } from '../core/memory.ts';
import type { NdArray } from '../core/ndarray.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { GraphNode, type Leaf, type Target } from './graph.ts';

/**
 * All operations that `root` depends on, each after everything that depends on it.
 *
 * @param ends are not looked behind, and left out
 */
export function reverseTopologicalOrder(
  root: GraphNode,
  ends: ReadonlySet<Target> = new Set(),
): GraphNode[] {
  const order: GraphNode[] = [];
  const visited = new Set<Target>([root, ...ends]);
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
  readonly #gradients = new Map<Target, NdArray>();
  readonly #owners = new Map<ArrayStorage, number>();

  add(target: Target, gradient: NdArray): void {
    const present = this.#gradients.get(target);
    if (present === undefined) {
      this.#own(gradient);
      this.#gradients.set(target, gradient);
    } else if (this.isExclusive(present)) {
      updates().blend(present, gradient, { keep: 1, add: 1 });
      this.#releaseUnowned(gradient);
    } else {
      const sum = binaryFunctions().binary('add', present, gradient);
      this.#own(sum);
      this.#gradients.set(target, sum);
      this.drop(present);
      this.#releaseUnowned(gradient);
    }
  }

  take(target: Target): NdArray | undefined {
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

export function checkGradient(node: GraphNode, target: Target, gradient: NdArray): void {
  if (!sameShape(gradient.shape, target.shape)) {
    throw new AutogradError(
      `backward of ${node.op}: the gradient has shape ${formatShape(gradient.shape)}, ` +
        `its input ${formatShape(target.shape)}`,
    );
  }
}

/** All operations in `order` from which a gradient gets to one of `targets`. */
export function leadingTo(
  targets: ReadonlySet<Target>,
  order: readonly GraphNode[],
): ReadonlySet<Target> {
  const leading = new Set<Target>(targets);
  for (let i = order.length - 1; i >= 0; i--) {
    if (order[i].edges.some((edge) => edge !== null && leading.has(edge))) leading.add(order[i]);
  }
  return leading;
}

/** Whose gradients are computed, and what is done with each, which is then the taker's own. */
export interface Delivery {
  readonly targets: ReadonlySet<Target>;
  /** Whether nothing behind the targets is looked at; false by default. */
  readonly endsThere?: boolean;
  deliver(target: Target, gradient: NdArray): void;
}

/**
 * Reverse-mode differentiation: computes the gradients of `Σ gradOut · output`, and frees the graph on
 * the way.
 *
 * @param delivery by default, every leaf under `root` adds its gradient to `grad`
 */
export function runBackward(root: Target, gradOut: NdArray, delivery?: Delivery): void {
  const ends = delivery?.endsThere === true ? delivery.targets : new Set<Target>();
  const isEnd = (target: Target): boolean => !(target instanceof GraphNode) || ends.has(target);
  const order =
    root instanceof GraphNode && !isEnd(root) ? reverseTopologicalOrder(root, ends) : [];
  const leading = delivery === undefined ? null : leadingTo(delivery.targets, order);
  withMemoryScope(
    () => {
      const pending = new PendingGradients();
      const reached = new Set<Target>();
      // Whoever keeps a gradient needs an array of its own.
      const ownOf = (gradient: NdArray): NdArray =>
        pending.isExclusive(gradient) ? gradient : casts().cast(gradient, gradient.dtype);
      pending.add(root, gradOut);
      if (isEnd(root)) reached.add(root);
      for (const node of order) {
        const gradient = pending.take(node);
        const { edges } = node;
        const { backward, saved, needed } = node.consume();
        if (gradient === undefined) continue;
        const wanted = edges.map(
          (edge, i) => edge !== null && needed[i] && (leading === null || leading.has(edge)),
        );
        const isNeeded = wanted.includes(true);
        if (delivery?.targets.has(node)) {
          const own = isNeeded ? casts().cast(gradient, gradient.dtype) : ownOf(gradient);
          delivery.deliver(node, own);
        }
        if (isNeeded) {
          const results = withMemoryScope(
            () => backward(gradient, saved, wanted),
            (made) => made.flatMap((array) => (array === null ? [] : [array.storage])),
          );
          edges.forEach((edge, i) => {
            const result = results[i] ?? null;
            if (edge === null || result === null || !wanted[i]) return;
            checkGradient(node, edge, result);
            pending.add(edge, result);
            if (isEnd(edge)) reached.add(edge);
          });
        }
        pending.drop(gradient);
      }
      for (const end of reached) {
        const gradient = pending.take(end) as NdArray; // Added above together with the end.
        const own = ownOf(gradient);
        if (delivery !== undefined) delivery.deliver(end, own);
        else (end as Leaf).accumulateGrad(own); // Without a delivery, only leaves are ends.
        if (own !== gradient) pending.drop(gradient);
      }
    },
    () => [],
  );
}
