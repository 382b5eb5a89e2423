import { quote } from '@firelight/tensor/extend';
import { DataError } from '../core/errors.ts';
import { latin1 } from '../core/latin1.ts';
import {
  GLOBALS,
  GlobalName,
  NumpyArray,
  NumpyType,
  type PickleValue,
  Tuple,
} from './pickle-values.ts';

/**
 * Most instructions in one file. A batch of 10000 images has about 30000. Each makes one object at
 * most, so this bounds the memory: strings and arrays are views of the file.
 */
const MOST_STEPS = 200_000;
const LONGEST_KEY = 256;
const LONGEST_GLOBAL = 256;

/**
 * Reads a pickle as Python 2 wrote CIFAR's batches (protocol 2): numbers, strings, lists, tuples,
 * dicts, and arrays of numpy. It runs nothing: every other name of a class or function is refused.
 *
 * @param source name of the file in messages
 * @throws DataError if the file is cut, damaged, or holds anything else
 * @see Python's Lib/pickletools.py for the instructions
 */
export function unpickle(bytes: Uint8Array, source: string): PickleValue {
  return new Unpickler(bytes, source).run();
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #source: string;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which open marks stand. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;
  /** Where the present instruction begins. */
  #start = 0;

  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#source = source;
  }

  run(): PickleValue {
    for (let step = 0; step < MOST_STEPS; step++) {
      this.#start = this.#at;
      const code = this.#bytes[this.#skip(1)];
      if (code === 0x2e) return this.#pop(); // STOP
      const act = INSTRUCTIONS[code];
      if (act === undefined) {
        throw this.error(
          `instruction 0x${code.toString(16).padStart(2, '0')} is none that CIFAR's batches use`,
        );
      }
      act(this);
    }
    throw this.error(`more than ${MOST_STEPS} instructions, too many for a batch of CIFAR`);
  }

  error(problem: string): DataError {
    return new DataError(
      `${this.#source}: byte ${this.#start} of the pickle: ${problem}; ` +
        'the file is damaged or not a python batch of CIFAR',
    );
  }

  /** Moves on by `length` bytes; returns where they begin. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) {
      throw this.error(`the file ends where ${length} more bytes should be`);
    }
    this.#at = start + length;
    return start;
  }

  byte(): number {
    return this.#bytes[this.#skip(1)];
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  string(length: number): Uint8Array {
    if (length < 0) throw this.error(`a string has length ${length}`);
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Text up to the end of the line. */
  line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + LONGEST_GLOBAL).indexOf(0x0a);
    if (end < 0) throw this.error('a name has no end');
    const text = latin1(this.string(end));
    this.#skip(1);
    return text;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    const value = this.#stack.pop();
    if (value === undefined || this.#stack.length < floor) throw this.error('nothing to take');
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Takes everything above the last mark, and the mark. */
  popToMark(): PickleValue[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.error('no mark to go back to');
    return this.#stack.splice(height);
  }

  put(index: number): void {
    this.#memo.set(index, this.#top());
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.error(`nothing was stored as ${index}`);
    this.push(value);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.error('nothing to look at');
    return value;
  }

  tuple(length: number): void {
    const items = Array.from({ length }, () => this.#pop()).reverse();
    this.push(new Tuple(items));
  }

  tupleToMark(): void {
    this.push(new Tuple(this.popToMark()));
  }

  append(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.error('only a list can be appended to');
    for (const value of values) list.push(value);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) {
      throw this.error('only a dict takes pairs of key and value');
    }
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (!(key instanceof Uint8Array) || key.length > LONGEST_KEY) {
        throw this.error(`a key must be a string of at most ${LONGEST_KEY} bytes`);
      }
      dict.set(latin1(key), items[i + 1]);
    }
  }

  appendOne(): void {
    this.append([this.#pop()]);
  }

  setItem(): void {
    const value = this.#pop();
    this.setItems([this.#pop(), value]);
  }

  global(): void {
    const name = `${this.line()}.${this.line()}`;
    if (!Object.hasOwn(GLOBALS, name)) {
      throw this.error(`it asks for ${quote(name)}, which is refused`);
    }
    this.push(new GlobalName(GLOBALS[name]));
  }

  /** Calls that numpy's arrays and types make of themselves; the result is filled by `build`. */
  reduce(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (!(callee instanceof GlobalName) || !(args instanceof Tuple)) {
      throw this.error('a call must have a name and a tuple of arguments');
    }
    const [first] = args.items;
    if (callee.means === 'reconstruct' && first instanceof GlobalName && first.means === 'array') {
      this.push(new NumpyArray());
    } else if (callee.means === 'type' && first instanceof Uint8Array && first.length <= 8) {
      this.push(new NumpyType(latin1(first)));
    } else {
      throw this.error('a call that numpy does not make');
    }
  }

  build(): void {
    const state = this.#pop();
    const target = this.#top();
    if (!(state instanceof Tuple)) throw this.error('the state of an object must be a tuple');
    if (target instanceof NumpyType) return; // Byte order and alignment, which bytes do not have.
    if (!(target instanceof NumpyArray)) throw this.error('only arrays and types have a state');
    const [, shape, type, isFortran, data] = state.items;
    const sides = shape instanceof Tuple ? shape.items : [];
    const isSide = (side: PickleValue): side is number => typeof side === 'number' && side >= 0;
    if (
      sides.length !== 2 ||
      !sides.every(isSide) ||
      !(type instanceof NumpyType) ||
      isFortran !== false ||
      !(data instanceof Uint8Array)
    ) {
      throw this.error(
        'the state of an array must be two sides, a type, row-major order and bytes',
      );
    }
    target.shape = sides;
    target.type = type.name;
    target.data = data;
  }
}

/** What each instruction does, by its code; the names are those of pickletools. */
const INSTRUCTIONS: Readonly<Record<number, (machine: Unpickler) => void>> = {
  // PROTO
  128(machine) {
    const version = machine.byte();
    if (version !== 2 && version !== 3) {
      throw machine.error(`protocol ${version}, CIFAR's batches have 2`);
    }
  },
  // MARK
  40: (machine) => machine.mark(),
  // NONE, NEWTRUE, NEWFALSE
  78: (machine) => machine.push(null),
  136: (machine) => machine.push(true),
  137: (machine) => machine.push(false),
  // BININT, BININT1, BININT2
  74: (machine) => machine.push(machine.int32()),
  75: (machine) => machine.push(machine.byte()),
  77: (machine) => machine.push(machine.uint16()),
  // BINSTRING, SHORT_BINSTRING, BINUNICODE, BINBYTES, SHORT_BINBYTES
  84: (machine) => machine.push(machine.string(machine.int32())),
  85: (machine) => machine.push(machine.string(machine.byte())),
  88: (machine) => machine.push(machine.string(machine.uint32())),
  66: (machine) => machine.push(machine.string(machine.uint32())),
  67: (machine) => machine.push(machine.string(machine.byte())),
  // EMPTY_LIST, APPEND, APPENDS
  93: (machine) => machine.push([]),
  97: (machine) => machine.appendOne(),
  101: (machine) => machine.append(machine.popToMark()),
  // EMPTY_DICT, SETITEM, SETITEMS
  125: (machine) => machine.push(new Map()),
  115: (machine) => machine.setItem(),
  117: (machine) => machine.setItems(machine.popToMark()),
  // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  41: (machine) => machine.tuple(0),
  116: (machine) => machine.tupleToMark(),
  133: (machine) => machine.tuple(1),
  134: (machine) => machine.tuple(2),
  135: (machine) => machine.tuple(3),
  // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
  113: (machine) => machine.put(machine.byte()),
  114: (machine) => machine.put(machine.uint32()),
  104: (machine) => machine.get(machine.byte()),
  106: (machine) => machine.get(machine.uint32()),
  // GLOBAL, REDUCE, BUILD
  99: (machine) => machine.global(),
  82: (machine) => machine.reduce(),
  98: (machine) => machine.build(),
};
