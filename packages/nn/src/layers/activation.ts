import type { Activation } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';
import type { Module } from '../module/module.ts';

/** How a layer that can apply an activation itself is called. */
export interface ActivationOptions {
  readonly activation?: Activation;
}

/** @throws ValueError unless it is an activation */
export function expectActivation(layer: string, activation: Activation): Activation {
  const isKnown = activation === 'none' || activation === 'relu';
  expectThat(isKnown, layer, 'activation', "'none' or 'relu'", activation);
  return activation;
}

/**
 * Whether a module computes what its class says and nobody watches it: no subclass and no hook has put
 * another `forward` in its place. Only such a module may be computed together with its neighbours.
 */
export function isPlain<Layer extends Module>(
  module: Module | undefined,
  type: abstract new (...args: never[]) => Layer,
): module is Layer {
  return module instanceof type && module.forward === type.prototype.forward;
}
