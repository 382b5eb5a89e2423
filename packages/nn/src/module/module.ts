import { type Generator, type Tensor, ValueError } from '@firelight/tensor';
import { expectGenerator } from '@firelight/tensor/extend';
import { ForwardHooks } from './forward-hooks.ts';
import {
  freezeOwned,
  freezeParameter,
  isFrozen,
  markFrozen,
  type OwnedParameter,
  unfreezeOwned,
  unfreezeParameter,
  unmarkFrozen,
} from './freezing.ts';
import { type NamePattern, noSuchName, pickNamed } from './name-patterns.ts';
import { isRegistered, markRegistered, markUndecayed } from './parameter-marks.ts';
import { prepareState } from './state-dict.ts';

/** Tensors by name, as `stateDict` gives and `loadStateDict` takes them. */
export type StateDict = Readonly<Record<string, Tensor>>;

/** One call of a module. */
export interface ForwardCall {
  readonly module: Module;
  readonly input: Tensor;
  readonly output: Tensor;
}

/** What is told of calls of a module; see `Module.onForward`. */
export type ForwardHook = (call: ForwardCall) => void;

/**
 * Base of layers and networks: a function with parameters that can be listed by name, saved and
 * loaded.
 *
 * A subclass registers what it owns in its constructor and implements `forward`. Names of nested
 * modules are joined by dots, as in PyTorch: `features.3.squeeze.weight`.
 */
export abstract class Module {
  #training = true;
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #modules = new Map<string, Module>();
  /** Names in states of other programs that nothing here answers to. */
  readonly #ignored = new Set<string>();
  #generator: Generator | null = null;
  readonly #hooks = new ForwardHooks<Module>(this);

  /** The output of one input; shapes are those of the module's class. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Calls `hook` after each call of `forward`, until the function that is returned is called. Hooks
   * are told in the order in which they came, of inner modules before those that hold them, and of
   * every call of a module that is called several times. What a hook throws, `forward` throws.
   *
   * A module that computes several parts at once, such as a convolution with the ReLU behind it,
   * computes them one by one while one of them is watched; only gradients are then rounded otherwise.
   *
   * With `gradients` of tensor this is the gradient by the output of any layer:
   *
   * ```ts
   * const outputs: Tensor[] = [];
   * const layer = network.getSubmodule('features');
   * const remove = layer.onForward(({ output }) => void outputs.push(output));
   * const logits = network.forward(x);
   * remove();
   * const [gradient] = gradients(logits, outputs, { gradient: oneHot(labels, numClasses) });
   * ```
   *
   * @see PyTorch, `torch.nn.Module.register_forward_hook`; these hooks cannot change the output
   */
  onForward(hook: ForwardHook): () => void {
    return this.#hooks.add(hook);
  }

  /**
   * Whether dropout drops and batch norm normalizes by the batch; see `train` and `eval`. Always
   * false while the module is frozen.
   */
  get training(): boolean {
    return this.#training && !isFrozen(this);
  }

  /** Sets the mode of this module alone, also while it is frozen; `train` and `eval` set all inside. */
  set training(mode: boolean) {
    this.#training = mode;
  }

  /**
   * Makes `tensor` a parameter: it will be trained and saved.
   *
   * @param options `decay: false` exempts it from an optimizer's default weight decay
   */
  protected registerParameter(
    name: string,
    tensor: Tensor,
    { decay = true }: { decay?: boolean } = {},
  ): Tensor {
    this.#checkName(name);
    if (!tensor.requiresGrad && !isRegistered(tensor)) {
      throw new ValueError(`registerParameter: '${name}' must be made with requiresGrad: true`);
    }
    this.#parameters.set(name, tensor);
    markRegistered(tensor);
    if (!decay) markUndecayed(tensor);
    return tensor;
  }

  /** Makes `tensor` a buffer: it is saved, but not trained. */
  protected registerBuffer(name: string, tensor: Tensor): Tensor {
    this.#checkName(name);
    this.#buffers.set(name, tensor);
    return tensor;
  }

  /** Lets a state hold `name`, which other programs keep and this module has no use for. */
  protected ignoreInState(name: string): void {
    this.#checkName(name);
    this.#ignored.add(name);
  }

  /**
   * Makes `module` a part of this one. Under several names it is one module with one set of weights.
   *
   * @throws ValueError for a name that cannot be, or a module that holds this one
   */
  protected registerModule<M extends Module>(name: string, module: M): M {
    this.#checkName(name);
    if (module.namedModules().some(([, inner]) => inner === this)) {
      throw new ValueError(
        `${this.constructor.name}: '${name}' cannot be registered; it is or holds the module that ` +
          'it would be a part of',
      );
    }
    this.#modules.set(name, module);
    return module;
  }

  /**
   * Names the generator that `forward` draws from, so that its state is saved with a training.
   *
   * @throws ValueError for what is no generator
   */
  protected registerGenerator(generator: Generator): Generator {
    expectGenerator(this.constructor.name, generator);
    this.#generator = generator;
    return generator;
  }

  #checkName(name: string): void {
    const taken = this.#parameters.has(name) || this.#buffers.has(name) || this.#modules.has(name);
    if (taken || name === '' || name.includes('.')) {
      throw new ValueError(
        `${this.constructor.name}: '${name}' cannot be registered; ` +
          (taken ? 'the name is taken' : 'a name must not be empty or contain a dot'),
      );
    }
  }

  /** This module and all inside it under all their names, parents first; the outermost name is ''. */
  #allNames(): [name: string, module: Module][] {
    const inner = [...this.#modules].flatMap(([name, module]) =>
      module
        .#allNames()
        .map(([path, nested]): [string, Module] => [
          path === '' ? name : `${name}.${path}`,
          nested,
        ]),
    );
    return [['', this], ...inner];
  }

  #collect<Value>(own: (module: Module) => Iterable<readonly [string, Value]>): [string, Value][] {
    return this.#allNames().flatMap(([path, module]) =>
      [...own(module)].map(([name, value]): [string, Value] => [
        path === '' ? name : `${path}.${name}`,
        value,
      ]),
    );
  }

  /**
   * This module and all inside it, parents first, each once: what has several names comes under its
   * first. The outermost name is ''.
   */
  namedModules(): [name: string, module: Module][] {
    return underFirstName(this.#allNames());
  }

  /**
   * The module inside this one of a full name, as `namedModules` has it, under any of its names.
   *
   * @throws ValueError with the names that are nearest, if there is none
   * @see PyTorch, `torch.nn.Module.get_submodule`
   */
  getSubmodule(name: string): Module {
    const modules = this.#allNames();
    const found = modules.find(([each]) => each === name);
    if (found !== undefined) return found[1];
    const message = `getSubmodule: ${this.constructor.name} has no module`;
    throw noSuchName(message, name, modules.map(([each]) => each).slice(1));
  }

  /**
   * All parameters, frozen ones too, in order of registration, each once under its first name; or those
   * that a pattern names.
   *
   * @throws ValueError with the names that are nearest, if the pattern names none
   */
  namedParameters(pattern?: NamePattern): [name: string, parameter: Tensor][] {
    const all = underFirstName(this.#collect((module) => module.#parameters));
    if (pattern === undefined) return all;
    const named = new Set(this.#owned('parameters', pattern).map(({ parameter }) => parameter));
    return all.filter(([, parameter]) => named.has(parameter));
  }

  /** The tensors of `namedParameters`. */
  parameters(pattern?: NamePattern): Tensor[] {
    return this.namedParameters(pattern).map(([, parameter]) => parameter);
  }

  /** The parameters that a pattern names, each for every module that has it under such a name. */
  #owned(op: string, pattern: NamePattern): OwnedParameter[] {
    const owned = this.#collect((owner) =>
      [...owner.#parameters].map(([name, parameter]) => [name, { parameter, owner }] as const),
    );
    const modules = this.#allNames().slice(1);
    const others = modules.flatMap(([name, each]) => (each.parameters().length > 0 ? [name] : []));
    const message = `${op}: ${this.constructor.name} has no parameter`;
    return pickNamed(pattern, owned, { op, message, others });
  }

  /** All saved but untrained tensors (running statistics), each once under its first full name. */
  namedBuffers(): [name: string, buffer: Tensor][] {
    return underFirstName(this.#collect((module) => module.#buffers));
  }

  /** The generators that modules draw from, with the modules' full names. Several may share one. */
  namedGenerators(): [name: string, generator: Generator][] {
    return this.namedModules().flatMap(([path, module]): [string, Generator][] =>
      module.#generator === null ? [] : [[path, module.#generator]],
    );
  }

  /**
   * Parameters and buffers by name; one that layers share is there under each of its names. The
   * tensors share memory with the module: training on changes them.
   */
  stateDict(): StateDict {
    const entries = [
      ...this.#collect((module) => module.#parameters),
      ...this.#collect((module) => module.#buffers),
    ];
    return Object.fromEntries(entries.map(([name, tensor]) => [name, tensor.detach()]));
  }

  /**
   * Copies tensors into the parameters and buffers of the same names; of several names of one tensor,
   * one is enough. Nothing is changed if anything does not fit. Names that a module is known to have
   * in other programs, and not here, are passed over, such as `num_batches_tracked` of PyTorch's batch
   * norm.
   *
   * @param options `strict: false` lets names be missing on either side
   * @returns the names that had no counterpart
   * @throws ValueError for missing or unexpected names, or different values for the names of one
   *   tensor; ShapeError with name and both shapes
   */
  loadStateDict(
    state: StateDict,
    { strict = true }: { strict?: boolean } = {},
  ): { missing: string[]; unexpected: string[] } {
    const ignored = new Map(this.#collect((module) => module.#ignored.entries()));
    const isIgnored = (name: string): boolean => ignored.has(name);
    const { missing, unexpected, commit } = prepareState(this.stateDict(), state, {
      op: 'loadStateDict',
      network: this.constructor.name,
      strict,
      isIgnored,
    });
    commit();
    return { missing, unexpected };
  }

  /**
   * Switches this module and all inside it to training (or, with false, to evaluation). Frozen
   * modules stay in evaluation mode.
   */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.#training = mode;
    return this;
  }

  /** Switches this module and all inside it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Notes the mode of this module and of all inside it; the function returned gives them back. */
  saveModes(): () => void {
    const modes = this.namedModules().map(([, module]) => [module, module.#training] as const);
    return () => {
      for (const [module, mode] of modes) module.#training = mode;
    };
  }

  /**
   * Ends the training of this module and of all inside it, until `unfreeze`: parameters get no
   * gradient, optimizers pass over them, and the mode is evaluation whatever `train` says, so that
   * running statistics stay. A parameter that another module shares is frozen there too.
   *
   * With a pattern it ends that of the parameters that the pattern names, and modules that hold them are
   * frozen as a whole once all their parameters are. So a batch norm of which only the bias is frozen
   * goes on with its running statistics, and one inside `'features.*'` does not.
   *
   * @throws ValueError with the names that are nearest, if the pattern names no parameter
   */
  freeze(pattern?: NamePattern): this {
    if (pattern !== undefined) {
      freezeOwned(this, this.#owned('freeze', pattern));
      return this;
    }
    for (const [, module] of this.namedModules()) {
      markFrozen(module);
      for (const parameter of module.#parameters.values()) freezeParameter(parameter, module);
    }
    return this;
  }

  /**
   * Undoes `freeze` for this module and all inside it; the mode is then what `train` and `eval` said
   * last. A parameter that another, frozen module shares stays frozen.
   *
   * With a pattern it undoes that for the parameters that the pattern names. Modules that hold them are
   * then not frozen as a whole any more, nor what has no parameters in those, such as dropout.
   *
   * @throws ValueError with the names that are nearest, if the pattern names no parameter
   */
  unfreeze(pattern?: NamePattern): this {
    if (pattern !== undefined) {
      unfreezeOwned(this, this.#owned('unfreeze', pattern));
      return this;
    }
    for (const [, module] of this.namedModules()) {
      unmarkFrozen(module);
      for (const parameter of module.#parameters.values()) unfreezeParameter(parameter, module);
    }
    return this;
  }
}

/** Each value once, with the first of its names. */
function underFirstName<Value>(entries: readonly [string, Value][]): [string, Value][] {
  const seen = new Set<Value>();
  return entries.filter(([, value]) => {
    const isNew = !seen.has(value);
    seen.add(value);
    return isNew;
  });
}
