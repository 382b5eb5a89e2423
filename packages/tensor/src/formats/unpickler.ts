import type { FirelightError } from '../core/errors.ts';
import { quote } from '../core/messages.ts';
import type { ByteSource } from './byte-source.ts';
import { latin1 } from './latin1.ts';
import { PickleGlobal, PickleObject, PickleTuple, type PickleValue } from './pickle-values.ts';

/** What a reader of pickles allows, and how it explains a refusal. */
export interface UnpickleOptions {
  /** The names that may be asked for, by module and name: `numpy.dtype`; every other is refused. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What stands for a persistent id, where the format has them. */
  readonly persistent?: (id: PickleValue) => PickleValue;
  /** Where in the file the pickle begins; 0 by default. */
  readonly start?: number;
  /** The most instructions that are carried out; no bound but the file's length by default. */
  readonly mostInstructions?: number;
  /** What to do about a pickle that cannot be read; ends each message. */
  readonly remedy: string;
  /** What to do about a name that is not allowed; the same by default. */
  readonly remedyForName?: (name: string) => string;
}

const LONGEST_KEY = 4096;
const LONGEST_LINE = 256;
/** Bytes that are read at a time of a file that is not in memory. */
const WINDOW = 2 ** 16;

/** About how many bytes of memory things take, for a bound on what a small file may ask for. */
const COST = { slot: 32, list: 48, tuple: 80, dict: 240, entry: 48 } as const;
const MEMORY_SHARE = 4;
const MEMORY_BASE = 2 ** 26;

/** The stack, the memo and the place in the file of a pickle that is being read. */
export class Unpickler {
  readonly #source: ByteSource;
  readonly #options: UnpickleOptions;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which open marks stand. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #memory: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #at: number;
  /** Where the present instruction begins. */
  #start = 0;

  constructor(source: ByteSource, options: UnpickleOptions) {
    this.#source = source;
    this.#options = options;
    this.#at = options.start ?? 0;
    this.#memory = MEMORY_SHARE * source.size + MEMORY_BASE;
  }

  /** The code of the next instruction, about which errors are from now on. */
  nextCode(): number {
    this.#start = this.#at;
    return this.byte();
  }

  /** Where the next instruction begins. */
  get at(): number {
    return this.#at;
  }

  error(problem: string, remedy = this.#options.remedy): FirelightError {
    return this.#source.error(`byte ${this.#start} of the pickle: ${problem}; ${remedy}`);
  }

  readonly #refuse = (problem: string): Error => this.error(problem);

  /** Bounds the memory that values take; strings and arrays of bytes are views of the file. */
  #charge(bytes: number): void {
    this.#memory -= bytes;
    this.#expectMemory(0);
  }

  #expectMemory(bytes: number): void {
    if (bytes > this.#memory) throw this.error('it makes more objects than its length explains');
  }

  /** Moves on by `length` bytes, which are in the window then; returns where they begin in it. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#source.size - start) {
      throw this.error(`the file ends where ${length} more bytes should be`);
    }
    const end = start + length;
    if (start < this.#windowStart || end > this.#windowStart + this.#window.length) {
      const windowEnd = Math.min(Math.max(end, start + WINDOW), this.#source.size);
      this.#window = this.#source.bytes(start, windowEnd);
      this.#windowStart = start;
    }
    this.#at = end;
    return start - this.#windowStart;
  }

  byte(): number {
    const place = this.#skip(1); // Before the window is looked at, which it may replace.
    return this.#window[place];
  }

  /** The next `length` bytes. */
  bytes(length: number): Uint8Array {
    if (length < 0) throw this.error(`a string has length ${length}`);
    const start = this.#skip(length);
    return this.#window.subarray(start, start + length);
  }

  /** The next number of so many bytes. */
  view(length: number): DataView {
    const bytes = this.bytes(length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  uint32(): number {
    return this.view(4).getUint32(0, true);
  }

  /** A length of eight bytes. */
  uint64(): number {
    return Number(this.view(8).getBigUint64(0, true));
  }

  /** Text in UTF-8. */
  text(length: number): string {
    const bytes = this.bytes(length);
    this.#charge(2 * length);
    return UTF8.decode(bytes);
  }

  /** Text up to the end of the line. */
  line(): string {
    let text = '';
    for (let next = this.byte(); next !== 0x0a; next = this.byte()) {
      if (text.length === LONGEST_LINE) throw this.error('a name has no end');
      text += String.fromCharCode(next);
    }
    return text;
  }

  /** A whole number in two's complement; a bigint beyond ±(2⁵³ − 1). */
  long(length: number): number | bigint {
    if (length > LONGEST_LINE) throw this.error(`a number has ${length} bytes`);
    let value = 0n;
    for (const byte of this.bytes(length).toReversed()) value = value * 256n + BigInt(byte);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
    this.#expectMemory(COST.slot * this.#stack.length); // The stack may shrink again.
  }

  pop(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    const value = this.#stack.pop();
    if (value === undefined || this.#stack.length < floor) throw this.error('nothing to take');
    return value;
  }

  mark(): void {
    this.#charge(COST.slot);
    this.#marks.push(this.#stack.length);
  }

  /** Takes everything above the last mark, and the mark. */
  popToMark(): PickleValue[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.error('no mark to go back to');
    return this.#stack.splice(height);
  }

  put(index: number): void {
    if (!this.#memo.has(index)) this.#charge(COST.entry);
    this.#memo.set(index, this.top());
  }

  /** Keeps the top of the stack under the next number. */
  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.error(`nothing was stored as ${index}`);
    this.push(value);
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.error('nothing to look at');
    return value;
  }

  list(items: PickleValue[]): void {
    this.#charge(COST.list + COST.slot * items.length);
    this.push(items);
  }

  tuple(items: PickleValue[]): void {
    this.#charge(COST.tuple + COST.slot * items.length);
    this.push(new PickleTuple(items));
  }

  tupleOf(length: number): void {
    this.tuple(Array.from({ length }, () => this.pop()).reverse());
  }

  dict(items: readonly PickleValue[]): void {
    this.#charge(COST.dict);
    this.push(new Map());
    this.setItems(items);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.error('only a list can be appended to');
    this.#charge(COST.slot * values.length);
    for (const value of values) list.push(value);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) {
      throw this.error('only a dict takes pairs of key and value');
    }
    this.#charge(COST.entry * items.length);
    for (let i = 0; i < items.length; i += 2) dict.set(this.#key(items[i]), items[i + 1]);
  }

  #key(key: PickleValue): string | number {
    if (typeof key === 'number') return key;
    const isText =
      (key instanceof Uint8Array || typeof key === 'string') && key.length <= LONGEST_KEY;
    if (!isText) {
      throw this.error(`a key must be a string of at most ${LONGEST_KEY} bytes, or a number`);
    }
    return typeof key === 'string' ? key : latin1(key);
  }

  setItem(): void {
    const value = this.pop();
    this.setItems([this.pop(), value]);
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.error('a name must be two strings');
    }
    const full = `${module}.${name}`;
    const found = this.#options.globals.get(full);
    if (found === undefined) {
      const remedy = this.#options.remedyForName?.(full);
      throw this.error(`it asks for ${quote(full)}, which is refused`, remedy);
    }
    this.push(found);
  }

  /** Calls of what is allowed; a dict may be made, too, whose entries follow. */
  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
      throw this.error('a call must have a name and a tuple of arguments');
    }
    if (callee.call === null) throw this.error(`it calls ${quote(callee.name)}, which is refused`);
    // A call may copy a list that it is given, and be made again and again.
    const copied = args.items.reduce<number>(
      (sum, item) => sum + (Array.isArray(item) ? item.length : 0),
      0,
    );
    this.#charge(COST.dict + COST.entry * copied);
    this.push(callee.call(args.items, this.#refuse));
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof Map) return; // Attributes of a dict, which nobody reads.
    if (!(target instanceof PickleObject)) throw this.error('only objects have a state');
    target.setState(state, this.#refuse);
  }

  persistent(): void {
    const { persistent } = this.#options;
    if (persistent === undefined) throw this.error('it asks for what is not in the file');
    this.push(persistent(this.pop()));
  }
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
