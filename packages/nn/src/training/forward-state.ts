import { assign, type Generator, type GeneratorState, type Tensor, zeros } from '@firelight/tensor';
import type { Module } from '../module/module.ts';

/**
 * What a forward pass changes in a network: buffers (running statistics) and the state of generators.
 * It is noted before a pass, so that the network can be put back if its result is refused.
 */
export class ForwardState {
  readonly #buffers: readonly { name: string; buffer: Tensor; noted: Tensor }[];
  readonly #generators: readonly Generator[];
  #states: readonly GeneratorState[] = [];

  constructor(network: Module) {
    this.#buffers = network.namedBuffers().map(([name, buffer]) => ({
      name,
      buffer,
      noted: zeros(buffer.shape, { dtype: buffer.dtype }),
    }));
    this.#generators = network.namedGenerators().map(([, generator]) => generator);
  }

  note(): void {
    for (const { buffer, noted } of this.#buffers) assign(noted, buffer);
    this.#states = this.#generators.map((generator) => generator.state());
  }

  restore(): void {
    for (const { buffer, noted } of this.#buffers) assign(buffer, noted);
    this.#generators.forEach((generator, i) => {
      generator.restore(this.#states[i]);
    });
  }

  /** The first buffer with an element that is not finite and was, and its name; null if none. */
  spoiledBuffer(): string | null {
    const spoiled = this.#buffers.find(({ buffer, noted }) => {
      const before = noted.array.data;
      return buffer.array.data.some(
        (value, i) => !Number.isFinite(value) && Number.isFinite(before[i]),
      );
    });
    return spoiled?.name ?? null;
  }
}
