import type { FirelightError } from '@firelight/tensor';
import { joinBytes } from '@firelight/tensor/formats';
import { BitReader, BitWriter } from './bits.ts';
import { codeLengths, encodedBits, huffmanReader, huffmanWriter, NO_SYMBOL } from './huffman.ts';

/**
 * Elements of 32 bits that are few different ones, as bytes: the different ones, the lengths of their codes,
 * and Huffman's code of each element (`dense`), or of each that is not 0 and of the zeros before it
 * (`sparse`). What is read has the bits of what was written.
 *
 * Numbers are little-endian. Both begin with
 *
 *     u16 values         how many different elements there are, without 0 in `sparse`
 *     u32 [values]       each of them
 *     u8  [values]       the length of its code
 *
 * and end with the codes, the highest bit of each byte first. In between `sparse` has
 *
 *     u32 entries        elements that are not 0
 *     u8  gapBits
 *     u8  [2^gapBits]    the length of the code of each number of zeros before an element; the last of
 *                        them says that there are so many zeros and that more follow
 *
 * @see Han et al., "Deep Compression", arXiv:1510.00149, sections 2 to 4
 */
export type Encoding = 'dense' | 'sparse';

/** Most different elements. */
const MOST_VALUES = 256;
const MOST_GAP_BITS = 8;

/** The values of a code and how often each occurs, in the order in which they first occur. */
interface Alphabet {
  readonly values: Uint32Array;
  readonly symbols: ReadonlyMap<number, number>;
  readonly counts: Uint32Array;
}

function alphabetOf(elements: Uint32Array): Alphabet | null {
  const counts = new Map<number, number>();
  for (const element of elements) {
    counts.set(element, (counts.get(element) ?? 0) + 1);
    if (counts.size > MOST_VALUES) return null;
  }
  const values = Uint32Array.from(counts.keys());
  return {
    values,
    symbols: new Map(Array.from(values, (value, symbol) => [value, symbol])),
    counts: Uint32Array.from(counts.values()),
  };
}

/** The shorter of both encodings; null where there are too many different elements. */
export function encodeWeights(
  elements: Uint32Array,
): { readonly encoding: Encoding; readonly bytes: Uint8Array } | null {
  const dense = encodeDense(elements);
  const sparse = encodeSparse(elements);
  if (dense === null && sparse === null) return null;
  if (dense !== null && (sparse === null || dense.length <= sparse.length)) {
    return { encoding: 'dense', bytes: dense };
  }
  return { encoding: 'sparse', bytes: sparse as Uint8Array }; // One of both is there.
}

function encodeDense(elements: Uint32Array): Uint8Array | null {
  const alphabet = alphabetOf(elements);
  if (alphabet === null) return null;
  const lengths = codeLengths(alphabet.counts);
  const bits = new BitWriter();
  const write = huffmanWriter(lengths, bits);
  for (const element of elements) write(symbolOf(alphabet, element));
  return joinBytes([tableOf(alphabet, lengths), bits.finish()]);
}

function symbolOf({ symbols }: Alphabet, element: number): number {
  return symbols.get(element) as number; // The alphabet is that of the elements.
}

function tableOf({ values }: Alphabet, lengths: Uint8Array): Uint8Array {
  const table = new Uint8Array(2 + 5 * values.length);
  const view = new DataView(table.buffer);
  view.setUint16(0, values.length, true);
  values.forEach((value, i) => {
    view.setUint32(2 + 4 * i, value, true);
  });
  table.set(lengths, 2 + 4 * values.length);
  return table;
}

function encodeSparse(elements: Uint32Array): Uint8Array | null {
  const entries = elements.filter((element) => element !== 0);
  const alphabet = alphabetOf(entries);
  if (alphabet === null) return null;
  const zeros = zerosBefore(elements, entries.length);
  const gaps = bestGaps(zeros);
  const lengths = codeLengths(alphabet.counts);
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(0, entries.length, true);
  head[4] = gaps.bits;
  const bits = new BitWriter();
  const writeEntry = huffmanWriter(lengths, bits);
  const writeGap = huffmanWriter(gaps.lengths, bits);
  const most = 2 ** gaps.bits - 1;
  entries.forEach((entry, i) => {
    let left = zeros[i];
    for (; left >= most; left -= most) writeGap(most);
    writeGap(left);
    writeEntry(symbolOf(alphabet, entry));
  });
  return joinBytes([tableOf(alphabet, lengths), head, gaps.lengths, bits.finish()]);
}

/** The number of zeros right before each element that is not 0. */
function zerosBefore(elements: Uint32Array, entries: number): Uint32Array {
  const zeros = new Uint32Array(entries);
  let [entry, count] = [0, 0];
  for (const element of elements) {
    if (element === 0) count++;
    else {
      zeros[entry++] = count;
      count = 0;
    }
  }
  return zeros;
}

/** The bits of gaps for which all gaps take the least room. */
function bestGaps(zeros: Uint32Array): { bits: number; lengths: Uint8Array } {
  const plans = Array.from({ length: MOST_GAP_BITS }, (_, i) => {
    const bits = i + 1;
    const most = 2 ** bits - 1;
    const counts = new Uint32Array(most + 1);
    for (const count of zeros) {
      counts[most] += Math.floor(count / most);
      counts[count % most]++;
    }
    const lengths = codeLengths(counts);
    return { bits, lengths, size: encodedBits(counts, lengths) + 8 * lengths.length };
  });
  return plans.reduce((best, plan) => (plan.size < best.size ? plan : best));
}

/**
 * The elements of what `encodeWeights` wrote.
 *
 * @param count how many there are
 * @param damaged makes the errors
 */
export function decodeWeights(
  bytes: Uint8Array,
  encoding: Encoding,
  count: number,
  damaged: (problem: string) => FirelightError,
): Uint32Array {
  const reader = new PartReader(bytes, () => damaged('ends too early'));
  const valueCount = reader.u16();
  const values = Uint32Array.from({ length: reader.checked(valueCount, 5) }, () => reader.u32());
  const readValue = codeOf(reader.bytes(valueCount), damaged);
  const elements = new Uint32Array(count);
  const noCode = (): FirelightError => damaged('has bits that are no code');
  const valueIn = (bits: BitReader): number => {
    const symbol = readValue(bits);
    if (symbol === NO_SYMBOL) throw noCode();
    return values[symbol];
  };
  let bits: BitReader;
  if (encoding === 'dense') {
    bits = reader.bits();
    for (let i = 0; i < count; i++) elements[i] = valueIn(bits);
  } else {
    const entries = reader.u32();
    const gapBits = reader.u8();
    if (gapBits < 1 || gapBits > MOST_GAP_BITS) throw damaged(`has gaps of ${gapBits} bits`);
    const most = 2 ** gapBits - 1;
    const readGap = codeOf(reader.bytes(most + 1), damaged);
    bits = reader.bits();
    let at = 0;
    for (let entry = 0; entry < entries; ) {
      const zeros = readGap(bits);
      if (zeros === NO_SYMBOL) throw noCode();
      at += zeros;
      if (zeros === most) continue;
      if (at >= count) throw damaged(`has more than its ${count} elements`);
      elements[at++] = valueIn(bits);
      entry++;
    }
  }
  if (!bits.isAtEnd()) throw damaged('is longer than its elements are');
  return elements;
}

function codeOf(
  lengths: Uint8Array,
  damaged: (problem: string) => FirelightError,
): (bits: BitReader) => number {
  const reader = huffmanReader(lengths);
  if (reader === null) throw damaged('has lengths that are those of no code');
  return reader;
}

/** Reads what stands before the codes. */
class PartReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #ended: () => FirelightError;
  #at = 0;

  constructor(bytes: Uint8Array, ended: () => FirelightError) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#ended = ended;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  bytes(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** The number, if there are so many items of `size` bytes. */
  checked(number: number, size: number): number {
    if (number * size > this.#bytes.length - this.#at) throw this.#ended();
    return number;
  }

  /** All that is left. */
  bits(): BitReader {
    return new BitReader(this.bytes(this.#bytes.length - this.#at), this.#ended);
  }

  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.#ended();
    this.#at = start + length;
    return start;
  }
}
