import { type Floats, splat } from '../../assembler/vectors.ts';

/**
 * The gradient before a ReLU, from its input or its output: 0 where that is ≤ 0, else the gradient
 * behind it. The bits are those of ReLU's own gradient.
 */
export function beforeRelu(gradient: Floats, value: Floats): Floats {
  return gradient
    .bits()
    .andNot(value.atMost(splat(0)))
    .bits();
}
