import type { Tensor } from './tensor.ts';

/** One call of an operation. */
export interface OpCall {
  /** The name that `defineOp` was given. */
  readonly op: string;
  readonly inputs: readonly (Tensor | null)[];
  /** What the operation takes besides; its own definition says what that is. */
  readonly attributes: unknown;
  readonly output: Tensor;
}

let listen: ((call: OpCall) => void) | null = null;

/** Tells of a call, if somebody wants to know. */
export function tellOfCall(
  op: string,
  inputs: OpCall['inputs'],
  attributes: unknown,
  output: Tensor,
): void {
  if (listen !== null) listen({ op, inputs, attributes, output });
}

/**
 * Runs `body`, which is not async, and tells `listener` of all operations that are computed in it, in
 * their order: those of `defineOp`, so of functions that are made of several, such as `addmm`, each of
 * these. What is computed from elements that were read, as by `tensor.data`, is no operation.
 */
export function watchOps<Result>(listener: (call: OpCall) => void, body: () => Result): Result {
  const before = listen;
  listen = listener;
  try {
    return body();
  } finally {
    listen = before;
  }
}
