import { SqueezeNet } from '@firelight/nn';
import type { Generator } from '@firelight/tensor';
import { createNetwork } from '../../examples/support/create-network.ts';
import { type Network, RECIPE } from './workloads.ts';

/** Builds the network that a workload names. */
export function networkOf({ name }: Network, generator: Generator): SqueezeNet {
  return name === 'npm run train'
    ? createNetwork(RECIPE, generator)
    : new SqueezeNet({ numClasses: 10, generator });
}
