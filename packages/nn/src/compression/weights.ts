import { assign, noGrad, type Tensor, tensor, tidy, ValueError } from '@firelight/tensor';
import { expectThat, quoteSome } from '@firelight/tensor/extend';
import type { Module } from '../module/module.ts';
import { type NamePattern, pickNamed } from '../module/name-patterns.ts';

/** A parameter with its full name. Its elements are finite. */
export interface NamedWeight {
  readonly name: string;
  readonly weight: Tensor;
}

/**
 * The parameters that a pattern names; without one those with two axes or more, which are the weights of
 * convolutions and dense layers, but no biases and nothing of norms.
 *
 * @throws ValueError if there are none, or one has an element that is not finite
 */
export function weightsOf(op: string, network: Module, pattern?: NamePattern): NamedWeight[] {
  const named = network
    .namedParameters()
    .map(([name, weight]) => [name, { name, weight }] as const);
  const others: string[] = [];
  const found =
    pattern === undefined
      ? named.map(([, each]) => each).filter(({ weight }) => weight.shape.length >= 2)
      : pickNamed(pattern, named, { op, message: `${op}: no parameter is called`, others });
  if (found.length === 0) {
    const names = quoteSome(named.map(([name]) => name));
    throw new ValueError(`${op}: the network has no weights of two axes or more (it has ${names})`);
  }
  for (const { name, weight } of found) {
    const { data } = weight;
    const bad = data.findIndex((value) => !Number.isFinite(value));
    expectThat(bad < 0, op, `element ${bad} of ${name}`, 'finite', data[bad]);
  }
  return found;
}

/** Gives a tensor other elements. */
export function setElements(target: Tensor, elements: Float32Array | Float64Array): void {
  const { shape, dtype } = target;
  noGrad(() => tidy(() => assign(target, tensor(elements, { shape, dtype }))));
}
