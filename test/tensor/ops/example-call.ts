import * as firelight from '@firelight/tensor';
import { Generator, type Tensor, tensor } from '@firelight/tensor';

/** Where an argument stands: position in the list of arguments, then keys inside it. */
type Path = readonly [number, ...(string | number)[]];

export interface TensorArgument {
  readonly at: Path;
  /** As error messages call it. */
  readonly name: string;
  /** Written to, and so no place for an array. */
  readonly isTarget?: boolean;
  /** May be left out with null. */
  readonly isOptional?: boolean;
}

/** One valid call of an exported operation. */
export interface ExampleCall {
  /** As it is exported, and as error messages call it. */
  readonly name: string;
  readonly run: (...args: never[]) => unknown;
  /** Fresh arguments, since some are written to. */
  readonly args: () => unknown[];
  readonly tensors: readonly TensorArgument[];
}

export type Exports = Record<string, unknown>;

export function example(
  name: keyof typeof firelight,
  args: () => unknown[],
  tensors: readonly TensorArgument[],
): ExampleCall {
  const run = (firelight as Exports)[name] as ExampleCall['run']; // All names below are functions.
  return { name, run, args, tensors };
}

export const numbers = (shape: readonly number[], seed = 1): Tensor =>
  tensor(Float32Array.from(new Generator(seed).normal(shape.reduce((a, b) => a * b, 1))), {
    shape,
  });

export const x: TensorArgument = { at: [0], name: 'x' };
