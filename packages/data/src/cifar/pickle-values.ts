/** An array of numpy as its pickle describes it: `data` holds the elements in row-major order. */
export class NumpyArray {
  shape: readonly number[] = [];
  /** Type of the elements in numpy's short form, such as `u1`. */
  type = '';
  data: Uint8Array = new Uint8Array(0);
}

/** numpy's dtype by its short name. */
export class NumpyType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Python's tuple, told from a list by its class. */
export class Tuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** What the allowed names stand for. */
type Global = 'array' | 'reconstruct' | 'type';

/** All that a pickle may name; numpy's module was renamed in its version 2. */
export const GLOBALS: Readonly<Record<string, Global>> = {
  'numpy.core.multiarray._reconstruct': 'reconstruct',
  'numpy._core.multiarray._reconstruct': 'reconstruct',
  'numpy.ndarray': 'array',
  'numpy.dtype': 'type',
};

/** One of the allowed names. */
export class GlobalName {
  readonly means: Global;
  constructor(means: Global) {
    this.means = means;
  }
}

/** Python's dict with the bytes of string keys as Latin-1 text. */
type PickleDict = Map<string, PickleValue>;

/** What a pickle of CIFAR can hold; strings are views of the file's bytes. */
export type PickleValue =
  | null
  | boolean
  | number
  | Uint8Array
  | PickleValue[]
  | PickleDict
  | Tuple
  | GlobalName
  | NumpyArray
  | NumpyType;
