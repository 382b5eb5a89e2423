import type { NdArray } from '../core/ndarray.ts';
import { isGradEnabled } from './grad-mode.ts';
import { type BackwardCall, GraphNode } from './graph.ts';
import { tellOfCall } from './op-listener.ts';
import { guardSaved } from './saved-array.ts';
import { Tensor } from './tensor.ts';

/** The arrays that an operation takes; null for an optional one that is left out. */
export type OpInputs = readonly (NdArray | null)[];

/** The same list as tensors. */
type TensorsOf<Inputs extends OpInputs> = {
  readonly [I in keyof Inputs]: null extends Inputs[I] ? Tensor | null : Tensor;
};

/** Either the gradient, or the reason why there is none. */
type Backward<Saved> =
  | {
      /**
       * Gradients by the inputs, in their order and with their shapes.
       *
       * @param gradOut gradient of the loss by the output
       * @param saved what forward kept
       * @param needed which inputs need a gradient; null may stand for the others
       */
      backward(
        gradOut: NdArray,
        saved: Saved,
        needed: readonly boolean[],
      ): readonly (NdArray | null)[];
    }
  | { readonly backward: 'none'; readonly reason: string };

/** An operation on arrays with its gradient: what `defineOp` makes an operation on tensors from. */
export type OpDefinition<Inputs extends OpInputs, Attributes, Saved> = {
  /**
   * The output, and all that backward needs: only this is kept alive. Arrays in `saved`, also inside
   * lists and plain objects, are guarded: backward cannot read one that was changed in place since.
   */
  forward(inputs: Inputs, attributes: Attributes): { y: NdArray; saved: Saved };
} & Backward<Saved>;

/** What is known of an operation from outside: its name, and why it has no gradient if so. */
export interface OpInfo {
  readonly name: string;
  readonly differentiable: boolean;
  readonly reason: string | null;
}

const defined = new Map<string, OpInfo>();

/** All operations, so that a test can make sure that none has an unchecked gradient. */
export function listOps(): readonly OpInfo[] {
  return [...defined.values()];
}

/**
 * The arrays of the inputs, each an object of its own, also where two tensors share one (as those that
 * `detach` gives do): so what an operation saves tells by which of its inputs it came.
 */
function distinctArrays(tensors: readonly (Tensor | null)[]): (NdArray | null)[] {
  const seen = new Set<NdArray>();
  return tensors.map((input) => {
    if (input === null) return null;
    const { array } = input;
    if (seen.has(array)) return array.withShape(array.shape);
    seen.add(array);
    return array;
  });
}

/**
 * Makes an operation on tensors from one on arrays: it runs `forward`, and where gradients are on
 * and an input needs one, records how to go back.
 *
 * @param name for error messages and the list of operations; unique
 */
export function defineOp<Inputs extends OpInputs, Attributes, Saved>(
  name: string,
  definition: OpDefinition<Inputs, Attributes, Saved>,
): (inputs: TensorsOf<Inputs>, attributes: Attributes) => Tensor {
  const { backward } = definition;
  defined.set(name, {
    name,
    differentiable: backward !== 'none',
    reason: backward === 'none' ? definition.reason : null,
  });
  const run = (inputs: TensorsOf<Inputs>, attributes: Attributes): Tensor => {
    const tensors: readonly (Tensor | null)[] = inputs;
    const arrays = distinctArrays(tensors);
    // `TensorsOf` maps the tuple element by element, which `map` cannot express.
    const { y, saved } = definition.forward(arrays as unknown as Inputs, attributes);
    const needed = tensors.map((input) => input?.requiresGrad ?? false);
    if (backward === 'none' || !isGradEnabled() || !needed.includes(true)) return new Tensor(y);
    const edges = tensors.map((input) => (input?.requiresGrad ? (input.node ?? input) : null));
    const kept = guardSaved(saved, { op: name, inputs: arrays, y });
    const node = new GraphNode(name, y.shape, edges, {
      backward: backward as BackwardCall['backward'], // It gets what its forward saved.
      saved: kept,
      needed,
    });
    return new Tensor(y, { requiresGrad: true, node });
  };
  return (inputs, attributes) => {
    const output = run(inputs, attributes);
    tellOfCall(name, inputs, attributes, output);
    return output;
  };
}
