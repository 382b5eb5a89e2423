import { MobileNetV2, type Module, ResNet, SqueezeNet } from '@firelight/nn';
import type { Generator } from '@firelight/tensor';
import { createNetwork } from '../../examples/support/create-network.ts';
import { type Network, RECIPE } from './workloads.ts';

/** Builds the network that a workload names. */
export function networkOf({ name }: Network, generator: Generator): Module {
  switch (name) {
    case 'SqueezeNet 1.0':
      return new SqueezeNet({ numClasses: 10, generator });
    case 'npm run train':
      return createNetwork(RECIPE, generator);
    case 'ResNet-20':
      return new ResNet({ depth: 20, generator });
    case 'MobileNetV2':
      return new MobileNetV2({ numClasses: 10, dropout: 0, generator });
  }
}
