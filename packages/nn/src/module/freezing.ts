import type { Tensor } from '@firelight/tensor';

/** What freezing needs of a module. */
interface Part {
  namedModules(): [name: string, module: Part][];
  parameters(): readonly Tensor[];
  freeze(): unknown;
  unfreeze(): unknown;
}

/** A parameter and a module that has it. */
export interface OwnedParameter {
  readonly parameter: Tensor;
  readonly owner: object;
}

/** Modules that stay in evaluation mode. */
const frozen = new WeakSet<object>();
/** The modules that keep a parameter frozen; several where they share it. */
const freezers = new WeakMap<Tensor, Set<object>>();

/** Whether a module is frozen as a whole. */
export function isFrozen(module: object): boolean {
  return frozen.has(module);
}

/** Freezes a module, but nothing inside it. */
export function markFrozen(module: object): void {
  frozen.add(module);
}

/** Undoes `markFrozen`. */
export function unmarkFrozen(module: object): void {
  frozen.delete(module);
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

/** Freezes some parameters, and as a whole each module in which then no other is left. */
export function freezeOwned(network: Part, owned: readonly OwnedParameter[]): void {
  for (const { parameter, owner } of owned) freezeParameter(parameter, owner);
  for (const module of holdersOf(network, owned)) if (!learns(module)) module.freeze();
}

/** Undoes `freezeOwned`. */
export function unfreezeOwned(network: Part, owned: readonly OwnedParameter[]): void {
  for (const { parameter, owner } of owned) unfreezeParameter(parameter, owner);
  for (const module of holdersOf(network, owned)) {
    if (!isFrozen(module) || !learns(module)) continue;
    unmarkFrozen(module);
    // What has nothing to train, as dropout, rested because the whole did.
    for (const [name, inner] of module.namedModules()) {
      const isChild = name !== '' && !name.includes('.');
      if (isChild && inner.parameters().length === 0) inner.unfreeze();
    }
  }
}

/** A network and modules inside it that have or hold one of some parameters. */
function holdersOf(network: Part, owned: readonly OwnedParameter[]): Part[] {
  const parameters = new Set(owned.map(({ parameter }) => parameter));
  const modules = network.namedModules().map(([, module]) => module);
  return modules.filter((module) => module.parameters().some((each) => parameters.has(each)));
}

function learns(module: Part): boolean {
  return module.parameters().some(({ requiresGrad }) => requiresGrad);
}
