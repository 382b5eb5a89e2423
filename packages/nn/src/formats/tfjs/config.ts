import { quote } from '@firelight/tensor/extend';
import type { KerasLayer } from './topology.ts';

/** A layer, or an option of one, that is not read here; all of a model are told together. */
export class Unsupported extends Error {}

/** Options of a Keras layer, each checked as it is read. */
export class Config {
  readonly layer: KerasLayer;

  constructor(layer: KerasLayer) {
    this.layer = layer;
  }

  /** The value of an option, or null where it is left out. */
  value(name: string): unknown {
    const { config } = this.layer;
    return Object.hasOwn(config, name) ? (config[name] ?? null) : null;
  }

  /** @throws Unsupported with the option and its value */
  refuse(name: string): never {
    const { className } = this.layer;
    throw new Unsupported(`${className} with ${name} ${quote(JSON.stringify(this.value(name)))}`);
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.value(name) ?? otherwise;
    return typeof value === 'boolean' ? value : this.refuse(name);
  }

  number(name: string, otherwise: number): number {
    const value = this.value(name) ?? otherwise;
    return typeof value === 'number' && Number.isFinite(value) ? value : this.refuse(name);
  }

  /** A text that must be one of some. */
  choice<Choice extends string>(
    name: string,
    choices: readonly Choice[],
    otherwise: Choice,
  ): Choice {
    const value = this.value(name) ?? otherwise;
    return choices.find((choice) => choice === value) ?? this.refuse(name);
  }

  /** Height and width, `n` or `[h, w]`, integers ≥ 1. */
  pair(name: string, otherwise: number): readonly [number, number] {
    const value = this.value(name) ?? otherwise;
    const [h, w] = Array.isArray(value) && value.length === 2 ? value : [value, value];
    const isRight = [h, w].every((length) => Number.isInteger(length) && (length as number) >= 1);
    return isRight ? [h as number, w as number] : this.refuse(name);
  }

  /** Only what is so everywhere: an option that must have one value, if it is given. */
  expect(name: string, ...allowed: readonly unknown[]): void {
    const value = this.value(name);
    const isAllowed = allowed.some((each) => JSON.stringify(each) === JSON.stringify(value));
    if (value !== null && !isAllowed) this.refuse(name);
  }
}
