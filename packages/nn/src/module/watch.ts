import { noGrad, type Tensor, tidy } from '@firelight/tensor';
import type { ForwardCall, Module } from './module.ts';

/** One call of a module of a network; the outermost has the name ''. */
export interface NamedCall extends ForwardCall {
  readonly name: string;
}

/**
 * Runs a network and tells of every call of it and of modules inside it, inner ones first. A module with
 * several names is told of under its first. The tensors are released afterwards.
 */
export function watchForward(network: Module, x: Tensor, visit: (call: NamedCall) => void): void {
  const removers = network
    .namedModules()
    .map(([name, module]) => module.onForward((call) => visit({ ...call, name })));
  try {
    tidy(() => noGrad(() => void network.forward(x)));
  } finally {
    for (const remove of removers) remove();
  }
}

/** Something in a network that holds NaN or an infinity. */
export interface NonFinite {
  readonly what: 'parameter' | 'the output of';
  readonly name: string;
}

export function hasOnlyFinite({ array }: Tensor): boolean {
  return array.data.every(Number.isFinite);
}

/** The first parameter, or else the first layer's output, that is not finite; null if all are. */
export function firstNonFinite(network: Module, x: Tensor): NonFinite | null {
  const parameter = network.namedParameters().find(([, tensor]) => !hasOnlyFinite(tensor));
  if (parameter !== undefined) return { what: 'parameter', name: parameter[0] };
  let found: NonFinite | null = null;
  watchForward(network, x, ({ name, output }) => {
    if (found === null && !hasOnlyFinite(output)) found = { what: 'the output of', name };
  });
  return found;
}
