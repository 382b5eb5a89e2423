import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';

/** A tensor made by the user whose gradient is wanted: where gradients end up. */
export interface Leaf {
  readonly array: NdArray;
  readonly shape: Shape;
  /** Adds to `grad`; takes `gradient` over as its own. */
  accumulateGrad(gradient: NdArray): void;
}

/** Computes the gradients by the inputs of one operation; null where none is needed. */
export type BackwardFunction = (gradOut: NdArray) => readonly (NdArray | null)[];

/** One recorded operation. It links to the operations that made its inputs, not to the inputs. */
export class GraphNode {
  readonly op: string;
  readonly shape: Shape;
  #edges: readonly (GraphNode | Leaf | null)[];
  #backward: BackwardFunction | null;

  constructor(
    op: string,
    shape: Shape,
    edges: readonly (GraphNode | Leaf | null)[],
    backward: BackwardFunction,
  ) {
    this.op = op;
    this.shape = shape;
    this.#edges = edges;
    this.#backward = backward;
  }

  /** Where each input's gradient goes; null for inputs that need none. */
  get edges(): readonly (GraphNode | Leaf | null)[] {
    return this.#edges;
  }

  get isConsumed(): boolean {
    return this.#backward === null;
  }

  /** Hands out the backward function once and lets go of everything saved for it. */
  consume(): BackwardFunction {
    const backward = this.#backward as BackwardFunction; // `runBackward` checks isConsumed first.
    this.#backward = null;
    this.#edges = [];
    return backward;
  }
}
