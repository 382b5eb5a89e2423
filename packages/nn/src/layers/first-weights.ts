import type { Generator, Shape, Tensor } from '@firelight/tensor';
import { type InitializerOption, initialize } from '../initializers/index.ts';

/** How the first weights of a layer are drawn. */
interface FirstWeightsOptions {
  readonly bias?: boolean;
  readonly weightInit?: InitializerOption;
  readonly biasInit?: InitializerOption;
  readonly generator?: Generator | undefined;
}

/** First weights, he_uniform by default, and a bias of as many elements as `outputs`, 0 by default, or none. */
export function firstWeights(
  { bias = true, weightInit = 'he_uniform', biasInit = 0, generator }: FirstWeightsOptions,
  shape: Shape,
  outputs: number,
): { weight: Tensor; bias: Tensor | null } {
  return {
    weight: initialize(weightInit, shape, generator),
    bias: bias ? initialize(biasInit, [outputs], generator) : null,
  };
}
