import type { Tensor } from '@firelight/tensor';

/** What is known of parameters beside their values. */
const registered = new WeakSet<Tensor>();
const undecayed = new WeakSet<Tensor>();

/** Notes that a module has the tensor as a parameter. */
export function markRegistered(parameter: Tensor): void {
  registered.add(parameter);
}

/** Whether some module has the tensor as a parameter, so that it may lack a gradient for being frozen. */
export function isRegistered(parameter: Tensor): boolean {
  return registered.has(parameter);
}

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
