/** Python's tuple, told from a list by its class. */
export class PickleTuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** Makes an error about the present instruction of a pickle, to be thrown. */
export type RefusePickle = (problem: string) => Error;

/**
 * A class or function of Python that a pickle may name, because its reader has put it on the list. What a
 * call of it gives is said here; nothing of Python is run.
 */
export class PickleGlobal {
  /** Module and name, such as `numpy.dtype`. */
  readonly name: string;
  /** What a call with these arguments makes; none for what may only be named. */
  readonly call: PickleCall | null;

  constructor(name: string, call: PickleCall | null = null) {
    this.name = name;
    this.call = call;
  }
}

/** What stands for a call in a pickle. */
export type PickleCall = (args: readonly PickleValue[], refuse: RefusePickle) => PickleValue;

/** An object that a call made. */
export abstract class PickleObject {
  /** Takes the state that the pickle gives it after the call. */
  abstract setState(state: PickleValue, refuse: RefusePickle): void;
}

/** Python's dict; keys that are strings of bytes are here as text of Latin-1. */
export type PickleDict = Map<string | number, PickleValue>;

/** What a pickle can hold; bytes, and strings of Python 2, are views of the file's. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleDict
  | PickleTuple
  | PickleGlobal
  | PickleObject;
