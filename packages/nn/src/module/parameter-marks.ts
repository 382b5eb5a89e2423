import type { Tensor } from '@firelight/tensor';

/** What is known of parameters beside their values. */
const registered = new WeakSet<Tensor>();
const undecayed = new WeakSet<Tensor>();
/** The modules that keep a parameter frozen; several where they share it. */
const freezers = new WeakMap<Tensor, Set<object>>();

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

/** Ends the training of a parameter on behalf of a module, and drops the gradient it has. */
export function freezeParameter(parameter: Tensor, module: object): void {
  const modules = freezers.get(parameter) ?? new Set();
  freezers.set(parameter, modules.add(module));
  parameter.requiresGrad = false;
  parameter.grad?.dispose();
  parameter.grad = null;
}

/** Lets a parameter be trained again, unless another module that shares it keeps it frozen. */
export function unfreezeParameter(parameter: Tensor, module: object): void {
  const modules = freezers.get(parameter);
  modules?.delete(module);
  parameter.requiresGrad = modules === undefined || modules.size === 0;
}
