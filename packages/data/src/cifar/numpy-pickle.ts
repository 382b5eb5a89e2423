import {
  bytesSource,
  latin1,
  type PickleCall,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
  type RefusePickle,
  unpickle,
} from '@firelight/tensor/formats';
import { DataError } from '../core/errors.ts';

/** An array of numpy as its pickle describes it: `data` holds the elements in row-major order. */
export class NumpyArray extends PickleObject {
  shape: readonly number[] = [];
  /** Type of the elements in numpy's short form, such as `u1`. */
  type = '';
  data: Uint8Array = new Uint8Array(0);

  setState(state: PickleValue, refuse: RefusePickle): void {
    const [, shape, type, isFortran, data] = state instanceof PickleTuple ? state.items : [];
    const sides = shape instanceof PickleTuple ? shape.items : [];
    const isSide = (side: PickleValue): side is number => typeof side === 'number' && side >= 0;
    if (
      sides.length !== 2 ||
      !sides.every(isSide) ||
      !(type instanceof NumpyType) ||
      isFortran !== false ||
      !(data instanceof Uint8Array)
    ) {
      throw refuse('the state of an array must be two sides, a type, row-major order and bytes');
    }
    this.shape = sides;
    this.type = type.name;
    this.data = data;
  }
}

/** numpy's dtype by its short name. */
class NumpyType extends PickleObject {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }

  /** Byte order and alignment, which bytes do not have. */
  setState(): void {}
}

const ARRAY = new PickleGlobal('numpy.ndarray');

const makeArray: PickleCall = ([type], refuse) => {
  if (type !== ARRAY) throw refuse('a call that numpy does not make');
  return new NumpyArray();
};

const makeType: PickleCall = ([name], refuse) => {
  const isName = name instanceof Uint8Array && name.length <= 8;
  if (!isName) throw refuse('a call that numpy does not make');
  return new NumpyType(latin1(name));
};

/** All that a pickle may name; numpy's module was renamed in its version 2. */
const GLOBALS = new Map(
  [
    ARRAY,
    new PickleGlobal('numpy.dtype', makeType),
    new PickleGlobal('numpy.core.multiarray._reconstruct', makeArray),
    new PickleGlobal('numpy._core.multiarray._reconstruct', makeArray),
  ].map((global) => [global.name, global]),
);

/** Most instructions in one file. A batch of 10000 images has about 30000. */
const MOST_INSTRUCTIONS = 200_000;

/**
 * Reads a pickle as Python 2 wrote CIFAR's batches: numbers, strings, lists, tuples, dicts, and arrays of
 * numpy. It runs nothing: every other name of a class or function is refused.
 *
 * @param name what messages call the file
 * @throws DataError if the file is cut, damaged, or holds anything else
 */
export function unpickleArrays(bytes: Uint8Array, name: string): PickleValue {
  const remedy = 'the file is damaged or not a python batch of CIFAR';
  const source = bytesSource(bytes, { name, error: DataError });
  return unpickle(source, { globals: GLOBALS, mostInstructions: MOST_INSTRUCTIONS, remedy }).value;
}
