import { CIFAR10_CLASSES } from '@firelight/data';
import { SqueezeNet } from '@firelight/nn';
import type { Generator } from '@firelight/tensor';
import type { TrainOptions } from './train-options.ts';

/** The network that the flags describe. */
export function createNetwork(options: TrainOptions, generator: Generator): SqueezeNet {
  const { version, bypass, stem, pooling, dropout } = options;
  return new SqueezeNet({
    numClasses: CIFAR10_CLASSES.length,
    version,
    bypass,
    stem,
    pooling,
    dropout,
    batchNorm: options['batch-norm'],
    headRelu: options['head-relu'],
    generator,
  });
}
