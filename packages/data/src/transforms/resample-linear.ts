import type { PixelData } from '../image.ts';
import type { Resampler, Size } from './resample.ts';

/** One output position between two inputs: `(1 − fraction) · input[low] + fraction · input[high]`. */
interface LinearTable {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly fraction: Float32Array;
  /** The two weights as OpenCV's 11-bit integers. */
  readonly lowWeight: Int32Array;
  readonly highWeight: Int32Array;
}

/** Weights of the 8-bit rule are integers of this many units to one. */
const WEIGHT_ONE = 2048;

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/**
 * Table of one axis. Positions are float32 as in OpenCV, since that decides how they round.
 *
 * @param repeat each position stands this many times in the table, with offsets 0 … repeat − 1 into
 *   its pixel, so that a row of interleaved channels is one flat loop
 * @param edge beyond the first and last input, `'fraction'` sets the fraction to 0 (OpenCV in x) and
 *   `'index'` clamps the two indices (OpenCV in y): the same value, but other roundings
 */
function linearTable(
  inputSize: number,
  outputSize: number,
  { repeat, edge }: { readonly repeat: number; readonly edge: 'fraction' | 'index' },
): LinearTable {
  const length = outputSize * repeat;
  const table = {
    low: new Int32Array(length),
    high: new Int32Array(length),
    fraction: new Float32Array(length),
    lowWeight: new Int32Array(length),
    highWeight: new Int32Array(length),
  };
  const last = inputSize - 1;
  const clamp = (index: number): number => Math.min(Math.max(index, 0), last);
  // OpenCV divides twice; in / out can differ from this in the last bit.
  const scale = 1 / (outputSize / inputSize);
  for (let output = 0; output < outputSize; output++) {
    const position = Math.fround((output + 0.5) * scale - 0.5);
    const index = Math.floor(position);
    const isOutside = index < 0 || index >= last;
    const fraction = isOutside && edge === 'fraction' ? 0 : Math.fround(position - index);
    const lowWeight = roundHalfToEven(Math.fround(1 - fraction) * WEIGHT_ONE);
    const highWeight = roundHalfToEven(fraction * WEIGHT_ONE);
    for (let offset = 0; offset < repeat; offset++) {
      const at = output * repeat + offset;
      table.low[at] = clamp(index) * repeat + offset;
      table.high[at] = clamp(index + 1) * repeat + offset;
      table.fraction[at] = fraction;
      table.lowWeight[at] = lowWeight;
      table.highWeight[at] = highWeight;
    }
  }
  return table;
}

/**
 * Two rows of the input, already resampled in x. Rows are asked for in rising order, two neighbours
 * at a time, so the parity of the row is its slot and each row is resampled once.
 */
class RowCache<Row> {
  readonly #slots: readonly [Row, Row];
  readonly #held: [number, number] = [-1, -1];
  readonly #fill: (row: number, into: Row) => void;

  constructor(slots: readonly [Row, Row], fill: (row: number, into: Row) => void) {
    this.#slots = slots;
    this.#fill = fill;
  }

  get(row: number): Row {
    const slot = row & 1;
    if (this.#held[slot] !== row) {
      this.#fill(row, this.#slots[slot]);
      this.#held[slot] = row;
    }
    return this.#slots[slot];
  }
}

/** Bilinear resampling of images of one size; see `Resize` for the rule. */
export function linearResampler(input: Size, output: Size): Resampler {
  const columns = linearTable(input.width, output.width, {
    repeat: input.channels,
    edge: 'fraction',
  });
  const rows = linearTable(input.height, output.height, { repeat: 1, edge: 'index' });
  const inputRow = input.width * input.channels;
  const outputRow = output.width * input.channels;

  /**
   * 8-bit rule of OpenCV: `S = p0·a0 + p1·a1` in x, then
   * `(((b0·(S0 ≫ 4)) ≫ 16) + ((b1·(S1 ≫ 4)) ≫ 16) + 2) ≫ 2` in y.
   */
  function resampleBytes(source: Uint8Array): Uint8Array {
    const result = new Uint8Array(output.height * outputRow);
    const { low, high, lowWeight, highWeight } = columns;
    const cache = new RowCache(
      [new Int32Array(outputRow), new Int32Array(outputRow)],
      (row, into) => {
        const start = row * inputRow;
        for (let i = 0; i < outputRow; i++) {
          const left = Math.imul(source[start + low[i]], lowWeight[i]);
          const right = Math.imul(source[start + high[i]], highWeight[i]);
          into[i] = (left + right) >> 4;
        }
      },
    );
    for (let y = 0, at = 0; y < output.height; y++) {
      const above = cache.get(rows.low[y]);
      const below = cache.get(rows.high[y]);
      const aboveWeight = rows.lowWeight[y];
      const belowWeight = rows.highWeight[y];
      for (let i = 0; i < outputRow; i++, at++) {
        const sum =
          (Math.imul(aboveWeight, above[i]) >> 16) + (Math.imul(belowWeight, below[i]) >> 16);
        result[at] = (sum + 2) >> 2;
      }
    }
    return result;
  }

  function resampleFloats(source: Float32Array): Float32Array {
    const result = new Float32Array(output.height * outputRow);
    const { low, high, fraction } = columns;
    const cache = new RowCache(
      [new Float32Array(outputRow), new Float32Array(outputRow)],
      (row, into) => {
        const start = row * inputRow;
        for (let i = 0; i < outputRow; i++) {
          const t = fraction[i];
          into[i] = source[start + low[i]] * (1 - t) + source[start + high[i]] * t;
        }
      },
    );
    for (let y = 0, at = 0; y < output.height; y++) {
      const above = cache.get(rows.low[y]);
      const below = cache.get(rows.high[y]);
      const t = rows.fraction[y];
      for (let i = 0; i < outputRow; i++, at++) result[at] = above[i] * (1 - t) + below[i] * t;
    }
    return result;
  }

  return (source: PixelData): PixelData =>
    source instanceof Uint8Array ? resampleBytes(source) : resampleFloats(source);
}
