import { mul, noGrad, type Tensor } from '@firelight/tensor';

/** The same elements in memory of their own. */
export function copyOf(tensor: Tensor): Tensor {
  return noGrad(() => mul(tensor.detach(), 1));
}
