import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';

/** A tensor made by the user whose gradient is wanted: where gradients end up. */
export interface Leaf {
  readonly array: NdArray;
  readonly shape: Shape;
  /** Adds to `grad`; takes `gradient` over as its own. */
  accumulateGrad(gradient: NdArray): void;
}

/** Where a gradient goes: to the operation that made a tensor, or to a tensor that the user made. */
export type Target = GraphNode | Leaf;

/** How many operations have been recorded so far. */
export function recordedOperations(): number {
  return recorded;
}

/** How the gradients by the inputs of one call of an operation are computed. */
export interface BackwardCall {
  /** The definition of the operation's gradient. */
  backward(
    gradOut: NdArray,
    saved: unknown,
    needed: readonly boolean[],
  ): readonly (NdArray | null)[];
  /** What forward kept, guarded. */
  readonly saved: unknown;
  readonly needed: readonly boolean[];
}

let recorded = 0;

/** One recorded operation. It links to the operations that made its inputs, not to the inputs. */
export class GraphNode {
  readonly op: string;
  readonly shape: Shape;
  /** Counts the operations that were recorded before it. */
  readonly age = recorded++;
  #edges: readonly (Target | null)[];
  #call: BackwardCall | null;

  constructor(op: string, shape: Shape, edges: readonly (Target | null)[], call: BackwardCall) {
    this.op = op;
    this.shape = shape;
    this.#edges = edges;
    this.#call = call;
  }

  /** Where each input's gradient goes; null for inputs that need none. */
  get edges(): readonly (Target | null)[] {
    return this.#edges;
  }

  get isConsumed(): boolean {
    return this.#call === null;
  }

  /** How its gradients are computed; only while it is not consumed. */
  get call(): BackwardCall {
    return this.#call as BackwardCall; // Whoever walks a graph checks isConsumed first.
  }

  /** Hands out the call once and lets go of everything saved for it. */
  consume(): BackwardCall {
    const { call } = this;
    this.#call = null;
    this.#edges = [];
    return call;
  }
}
