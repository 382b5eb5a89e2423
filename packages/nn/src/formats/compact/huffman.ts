import type { BitReader, BitWriter } from './bits.ts';

/**
 * Huffman's codes of symbols 0, 1, 2, …: the lengths tell all, as codes of a length are numbers that follow
 * each other in the order of the symbols (canonical codes).
 *
 * @see RFC 1951, section 3.2.2
 */

/** Most bits of a code. Of 2²⁴ symbols, as many as a layer has weights, none needs more but by design. */
const LONGEST_CODE = 24;

/**
 * The length of the code of each symbol; 0 for those that do not occur. A single symbol has a code of one
 * bit, so that each takes some room in a file.
 */
export function codeLengths(counts: ArrayLike<number>): Uint8Array {
  let weights = Float64Array.from(counts);
  for (;;) {
    const lengths = lengthsOf(weights);
    if (lengths.every((length) => length <= LONGEST_CODE)) return lengths;
    // Rarer symbols become more alike, and the tree flatter.
    weights = weights.map((count) => (count === 0 ? 0 : Math.ceil(count / 2)));
  }
}

function lengthsOf(counts: Float64Array): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  let trees = Array.from(counts, (count, symbol) => ({ count, symbols: [symbol] }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count || a.symbols[0] - b.symbols[0]);
  if (trees.length === 1) lengths[trees[0].symbols[0]] = 1;
  while (trees.length > 1) {
    const [a, b, ...rest] = trees;
    const symbols = a.symbols.concat(b.symbols);
    for (const symbol of symbols) lengths[symbol]++;
    const joined = { count: a.count + b.count, symbols };
    const place = rest.findIndex(({ count }) => count > joined.count);
    const at = place < 0 ? rest.length : place;
    trees = [rest.slice(0, at), joined, rest.slice(at)].flat();
  }
  return lengths;
}

/** The code of each symbol as a number of its length. */
function codesOf(lengths: Uint8Array): Uint32Array {
  const codes = new Uint32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    lengths.forEach((each, symbol) => {
      if (each === length) codes[symbol] = code++;
    });
    code *= 2;
  }
  return codes;
}

/** Bits of symbols that occur so often, with codes of these lengths. */
export function encodedBits(counts: ArrayLike<number>, lengths: Uint8Array): number {
  return lengths.reduce((bits, length, symbol) => bits + length * counts[symbol], 0);
}

/** What writes symbols. */
export function huffmanWriter(lengths: Uint8Array, bits: BitWriter): (symbol: number) => void {
  const codes = codesOf(lengths);
  return (symbol) => bits.write(codes[symbol], lengths[symbol]);
}

/** What is read where bits are no code, as 1 where a single symbol has the code 0. */
export const NO_SYMBOL = -1;

/**
 * What reads symbols; null if the lengths are not those of a code: too many short ones, or fewer than
 * there could be, but for a single symbol or none.
 */
export function huffmanReader(lengths: Uint8Array): ((bits: BitReader) => number) | null {
  const counts = new Uint32Array(LONGEST_CODE + 1);
  for (const length of lengths) {
    if (length > LONGEST_CODE) return null;
    counts[length]++;
  }
  const used = lengths.length - counts[0];
  counts[0] = 0;
  const room = counts.reduce((sum, count, length) => sum + count / 2 ** length, 0);
  const isSingle = used === 1 && counts[1] === 1;
  if (room !== 1 && !isSingle && used > 0) return null;
  const symbols = Array.from(lengths, (length, symbol) => ({ length, symbol }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => a.length - b.length || a.symbol - b.symbol)
    .map(({ symbol }) => symbol);
  return (bits) => {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length <= LONGEST_CODE; length++) {
      code = 2 * code + bits.bit();
      if (code - first < counts[length]) return symbols[index + code - first];
      index += counts[length];
      first = (first + counts[length]) * 2;
    }
    return NO_SYMBOL;
  };
}
