import { ValueError } from './errors.ts';

/** Everything a `Generator` needs to go on from where it was: 64-bit key, 128-bit counter. */
export interface GeneratorState {
  readonly key: readonly [number, number];
  readonly counter: readonly [number, number, number, number];
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const TWO_POW_32 = 2 ** 32;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const middleLow = (middle & 0xffff) + aLow * bHigh;
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000);
}

/**
 * Philox4x32-10: encrypts a counter into four 32-bit words with ten rounds.
 *
 * @param key two 32-bit words
 * @param counter four 32-bit words, least significant first
 * @param out receives the four words at `offset`
 * @see Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011
 */
export function philox4x32(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
  out: Uint32Array,
  offset = 0,
): void {
  let [key0, key1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ key0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ key1) >>> 0;
    c3 = low0 >>> 0;
    key0 = (key0 + WEYL_0) >>> 0;
    key1 = (key1 + WEYL_1) >>> 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** The counter `steps` blocks further on; carries run through all four words. */
function advanceCounter(
  counter: GeneratorState['counter'],
  steps: number,
): [number, number, number, number] {
  const next: [number, number, number, number] = [...counter];
  let carry = steps;
  for (let word = 0; word < 4 && carry > 0; word++) {
    const sum = next[word] + carry;
    next[word] = sum % TWO_POW_32;
    carry = Math.floor(sum / TWO_POW_32);
  }
  return next;
}

/** Whether a value is `count` unsigned 32-bit integers. */
function isWords(value: unknown, count: number): value is number[] {
  const isWord = (word: unknown): boolean =>
    Number.isInteger(word) && (word as number) >= 0 && (word as number) < TWO_POW_32;
  return Array.isArray(value) && value.length === count && [...value].every(isWord);
}

/** At most one level and four elements of what should have been words. */
function describeWords(value: unknown): string {
  if (!Array.isArray(value)) return value === undefined ? 'nothing' : typeof value;
  const shown = value.slice(0, 4).map((word) => (typeof word === 'number' ? word : typeof word));
  return `[${shown.join(', ')}${value.length > 4 ? ', …' : ''}]`;
}

/** `count` words of the stream that starts at `state`; word i is word i mod 4 of block ⌊i / 4⌋. */
export function philoxWords(state: GeneratorState, count: number): Uint32Array {
  const words = new Uint32Array(Math.ceil(count / 4) * 4);
  let counter = state.counter;
  for (let offset = 0; offset < words.length; offset += 4) {
    philox4x32(state.key, counter, words, offset);
    counter = advanceCounter(counter, 1);
  }
  return words.subarray(0, count);
}

/** Most numbers of one draw: positions are 32-bit integers. */
const MAX_COUNT = 2 ** 31 - 1;

function checkCount(method: string, count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > MAX_COUNT) {
    throw new ValueError(
      `Generator.${method}: count must be an integer in [0, ${MAX_COUNT}], got ${count}`,
    );
  }
}

/** Generators that were drawn from, with their states before; null while nobody asks. */
let drawn: Map<Generator, GeneratorState> | null = null;

/** Runs `body`, and tells which generators it drew from, with their states before. */
export function recordDraws<Result>(body: () => Result): {
  result: Result;
  before: ReadonlyMap<Generator, GeneratorState>;
} {
  const outer = drawn;
  const before = new Map<Generator, GeneratorState>();
  drawn = before;
  try {
    return { result: body(), before };
  } finally {
    drawn = outer;
    for (const [generator, state] of before) {
      if (outer !== null && !outer.has(generator)) outer.set(generator, state);
    }
  }
}

/** Runs `body` with generators as they were, and leaves them as they are now. */
export function repeatDraws<Result>(
  before: ReadonlyMap<Generator, GeneratorState>,
  body: () => Result,
): Result {
  const now = [...before.keys()].map((generator) => [generator, generator.state()] as const);
  for (const [generator, state] of before) generator.restore(state);
  try {
    return body();
  } finally {
    for (const [generator, state] of now) generator.restore(state);
  }
}

/**
 * A stream of random numbers (Philox4x32-10) that is the same on every machine and backend, can be
 * split into independent streams, and can be saved and restored exactly.
 *
 * Every draw takes whole counter blocks and caches nothing, so `state()` is always the full truth.
 */
export class Generator {
  #key: readonly [number, number];
  #counter: GeneratorState['counter'] = [0, 0, 0, 0];

  /**
   * @param seed integer in [0, 2^53)
   * @throws ValueError for any other number
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ValueError(`Generator: seed must be an integer in [0, 2^53), got ${seed}`);
    }
    this.#key = [seed % TWO_POW_32, Math.floor(seed / TWO_POW_32)];
  }

  /** A generator that goes on where `state` was saved. */
  static fromState(state: GeneratorState): Generator {
    const generator = new Generator(0);
    generator.restore(state);
    return generator;
  }

  /** The present position; a plain object that survives JSON. */
  state(): GeneratorState {
    return { key: this.#key, counter: this.#counter };
  }

  /**
   * Goes back (or on) to a saved position.
   *
   * @throws ValueError if `state` is not two and four unsigned 32-bit integers
   */
  restore(state: GeneratorState): void {
    const { key, counter }: { key?: unknown; counter?: unknown } = state ?? {};
    if (!isWords(key, 2) || !isWords(counter, 4)) {
      throw new ValueError(
        'Generator: state must be {key: [2 words], counter: [4 words]} of unsigned 32-bit ' +
          `integers, got the key ${describeWords(key)} and the counter ${describeWords(counter)}`,
      );
    }
    this.#key = [key[0], key[1]];
    this.#counter = [counter[0], counter[1], counter[2], counter[3]];
  }

  /** Reserves `blocks` counter blocks (4 words each) and returns the state at their start. */
  reserve(blocks: number): GeneratorState {
    const start = this.state();
    if (drawn !== null && !drawn.has(this)) drawn.set(this, start);
    this.#counter = advanceCounter(this.#counter, blocks);
    return start;
  }

  /**
   * `count` independent generators, keyed by draws from this one. Splitting again gives others.
   *
   * @throws ValueError if `count` is not an integer ≥ 0
   */
  split(count: number): Generator[] {
    checkCount('split', count);
    const words = this.words(count * 4);
    return Array.from({ length: count }, (_, i) =>
      Generator.fromState({
        key: [words[4 * i], words[4 * i + 1]],
        counter: [0, 0, words[4 * i + 2], words[4 * i + 3]],
      }),
    );
  }

  /** `count` words, uniform over [0, 2^32). */
  words(count: number): Uint32Array {
    checkCount('words', count);
    return philoxWords(this.reserve(Math.ceil(count / 4)), count);
  }

  /**
   * `count` numbers, uniform over [low, high). They have 24 random bits, which float32 holds exactly,
   * so that rounding to it never reaches 1.
   */
  uniform(
    count: number,
    { low = 0, high = 1 }: { low?: number; high?: number } = {},
  ): Float64Array {
    const words = this.words(count);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = low + (high - low) * ((words[i] >>> 8) / 2 ** 24);
    return values;
  }

  /**
   * `count` numbers of the normal distribution N(mean, std²) by Box–Muller in float64:
   * `√(−2 ln u) · (cos 2πv, sin 2πv)` with u in (0, 1].
   */
  normal(count: number, { mean = 0, std = 1 }: { mean?: number; std?: number } = {}): Float64Array {
    checkCount('normal', count);
    const pairs = Math.ceil(count / 2);
    const words = this.words(pairs * 2);
    const values = new Float64Array(pairs * 2);
    for (let i = 0; i < values.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((words[i] + 1) / TWO_POW_32));
      const angle = 2 * Math.PI * (words[i + 1] / TWO_POW_32);
      values[i] = mean + std * radius * Math.cos(angle);
      values[i + 1] = mean + std * radius * Math.sin(angle);
    }
    return values.subarray(0, count);
  }

  /** `count` bytes, 1 with the given probability (0 to 1), else 0. */
  bernoulli(count: number, probability: number): Uint8Array {
    if (!(probability >= 0 && probability <= 1)) {
      throw new ValueError(
        `Generator.bernoulli: probability must be in [0, 1], got ${probability}`,
      );
    }
    const words = this.words(count);
    return Uint8Array.from(words, (word) => (word < probability * TWO_POW_32 ? 1 : 0));
  }

  /**
   * One integer, uniform over [0, bound): the top of a 64-bit product, drawn again in the rare
   * case that would favour small numbers.
   *
   * @throws ValueError unless `bound` is an integer in [1, 2^32]
   * @see Lemire, "Fast random integer generation in an interval", 2019
   */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_POW_32) {
      throw new ValueError(
        `Generator.integer: bound must be an integer in [1, 2^32], got ${bound}`,
      );
    }
    if (bound === TWO_POW_32) return this.words(1)[0];
    const unfair = TWO_POW_32 % bound;
    for (;;) {
      for (const word of this.words(4)) {
        if (Math.imul(word, bound) >>> 0 >= unfair) return multiplyHigh(word, bound);
      }
    }
  }

  /** The integers 0 … count − 1 in random order (Fisher–Yates). */
  permutation(count: number): Uint32Array {
    checkCount('permutation', count);
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let last = count - 1; last > 0; last--) {
      const pick = this.integer(last + 1);
      const held = order[last];
      order[last] = order[pick];
      order[pick] = held;
    }
    return order;
  }
}
