import { type Tensor, ValueError } from '@firelight/tensor';
import { Module } from '../../module/module.ts';

/** Deeper names are those of no network. */
const MOST_PARTS = 32;

/** A module that holds tensors of given names, each in a module for every part of its name. */
export class NamedTensors extends Module {
  readonly #groups = new Map<string, NamedTensors>();
  readonly #taken = new Set<string>();
  /** How many names have become the same. */
  readonly #copies = new Map<string, number>();

  /** @throws ValueError always: it computes nothing */
  forward(_: Tensor): Tensor {
    throw new ValueError(
      'NamedTensors: it holds tensors of a network and computes nothing; call the network',
    );
  }

  /**
   * Registers a tensor as a parameter, if it has `requiresGrad`, or as a buffer. A name that cannot be, as
   * where `a` and `a.b` are both tensors, gets `_` for its dots, and a number if that is taken.
   *
   * @returns the module that holds it
   */
  protected registerNamed(name: string, tensor: Tensor): NamedTensors {
    const path = name.split('.');
    const isPath = path.length <= MOST_PARTS && path.every((part) => part !== '');
    const owner = isPath ? this.#ownerOf(path) : null;
    if (owner !== null) return owner.#hold(path[path.length - 1], tensor);
    const flat = name.replaceAll('.', '_') || '_';
    return this.#hold(this.#free(flat), tensor);
  }

  #free(wanted: string): string {
    // Counted on, so that many names of one kind take no more time than names.
    let count = this.#copies.get(wanted) ?? 1;
    let name = wanted;
    while (this.#taken.has(name)) name = `${wanted}_${++count}`;
    this.#copies.set(wanted, count);
    return name;
  }

  /** The module for all but the last part of a path; null if one of them, or the last, is taken. */
  #ownerOf(path: readonly string[]): NamedTensors | null {
    const [first, ...rest] = path;
    const group = this.#groups.get(first);
    if (rest.length === 0) return this.#taken.has(first) ? null : this;
    if (group !== undefined) return group.#ownerOf(rest);
    if (this.#taken.has(first)) return null;
    this.#taken.add(first);
    const made = this.registerModule(first, new NamedTensors());
    this.#groups.set(first, made);
    return made.#ownerOf(rest);
  }

  #hold(name: string, tensor: Tensor): this {
    this.#taken.add(name);
    if (tensor.requiresGrad) this.registerParameter(name, tensor);
    else this.registerBuffer(name, tensor);
    return this;
  }
}
