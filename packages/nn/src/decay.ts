import type { Tensor } from '@firelight/tensor';

const undecayed = new WeakSet<Tensor>();

/** Exempts a parameter from the default weight decay of optimizers. */
export function markUndecayed(parameter: Tensor): void {
  undecayed.add(parameter);
}

/**
 * Whether weight decay applies where no parameter group says otherwise: to all parameters, biases of
 * convolutions included, except scale and shift of batch normalization.
 *
 * @see mindspore/nn/optim/optimizer.py, which leaves out names with `beta` or `gamma`
 */
export function isDecayed(parameter: Tensor): boolean {
  return !undecayed.has(parameter);
}
