import type { Resampler, Size } from './resample.ts';
import { roundHalfToEven } from './round.ts';

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

// Resampling goes over the input rows in x, then over the output rows in y. The inner loops are
// functions of their own, outside any closure, since as such they run faster.

/** 8-bit rule of OpenCV in x: `S = (p0·a0 + p1·a1) ≫ 4`, for the `[W · C]` input row at `start`. */
function bytesInX(
  source: Uint8Array,
  start: number,
  columns: LinearTable,
  into: Int32Array,
  intoStart: number,
): void {
  const { low, high, lowWeight, highWeight } = columns;
  for (let i = 0; i < low.length; i++) {
    const left = Math.imul(source[start + low[i]], lowWeight[i]);
    const right = Math.imul(source[start + high[i]], highWeight[i]);
    into[intoStart + i] = (left + right) >> 4;
  }
}

/** 8-bit rule of OpenCV in y: `(((b0·S0) ≫ 16) + ((b1·S1) ≫ 16) + 2) ≫ 2`, for output row `y`. */
function bytesInY(
  source: Int32Array,
  rowLength: number,
  rows: LinearTable,
  y: number,
  into: Uint8Array,
  intoStart: number,
): void {
  const above = rows.low[y] * rowLength;
  const below = rows.high[y] * rowLength;
  const aboveWeight = rows.lowWeight[y];
  const belowWeight = rows.highWeight[y];
  for (let i = 0; i < rowLength; i++) {
    const sum =
      (Math.imul(aboveWeight, source[above + i]) >> 16) +
      (Math.imul(belowWeight, source[below + i]) >> 16);
    into[intoStart + i] = (sum + 2) >> 2;
  }
}

/**
 * The same for one channel, each value looked up in a table. Two output rows between the same input
 * rows are made together, since reading and writing arrays is what takes the time.
 */
function bytesInYByTable(
  source: Int32Array,
  { channel, channels, width }: { channel: number; channels: number; width: number },
  rows: LinearTable,
  table: Float32Array,
  into: Float32Array,
): void {
  const { low, high, lowWeight, highWeight } = rows;
  const rowLength = width * channels;
  let at = channel * low.length * width;
  for (let y = 0; y < low.length; y++, at += width) {
    let above = low[y] * rowLength + channel;
    let below = high[y] * rowLength + channel;
    const aboveWeight = lowWeight[y];
    const belowWeight = highWeight[y];
    if (y + 1 < low.length && low[y + 1] === low[y] && high[y + 1] === high[y]) {
      const nextAboveWeight = lowWeight[y + 1];
      const nextBelowWeight = highWeight[y + 1];
      for (let x = at; x < at + width; x++, above += channels, below += channels) {
        const top = source[above];
        const bottom = source[below];
        const sum = (Math.imul(aboveWeight, top) >> 16) + (Math.imul(belowWeight, bottom) >> 16);
        const next =
          (Math.imul(nextAboveWeight, top) >> 16) + (Math.imul(nextBelowWeight, bottom) >> 16);
        into[x] = table[(sum + 2) >> 2];
        into[x + width] = table[(next + 2) >> 2];
      }
      y++;
      at += width;
      continue;
    }
    for (let x = at; x < at + width; x++, above += channels, below += channels) {
      const sum =
        (Math.imul(aboveWeight, source[above]) >> 16) +
        (Math.imul(belowWeight, source[below]) >> 16);
      into[x] = table[(sum + 2) >> 2];
    }
  }
}

function floatsInX(
  source: Float32Array,
  start: number,
  columns: LinearTable,
  into: Float32Array,
  intoStart: number,
): void {
  const { low, high, fraction } = columns;
  for (let i = 0; i < low.length; i++) {
    const t = fraction[i];
    into[intoStart + i] = source[start + low[i]] * (1 - t) + source[start + high[i]] * t;
  }
}

function floatsInY(
  source: Float32Array,
  rowLength: number,
  rows: LinearTable,
  into: Float32Array,
): void {
  for (let y = 0, at = 0; y < rows.low.length; y++) {
    const above = rows.low[y] * rowLength;
    const below = rows.high[y] * rowLength;
    const t = rows.fraction[y];
    for (let i = 0; i < rowLength; i++, at++) {
      into[at] = source[above + i] * (1 - t) + source[below + i] * t;
    }
  }
}

/** Bilinear resampling of images of one size; see `Resize` for the rule. */
export function linearResampler(input: Size, output: Size): Resampler {
  const columns = linearTable(input.width, output.width, {
    repeat: input.channels,
    edge: 'fraction',
  });
  const rows = linearTable(input.height, output.height, { repeat: 1, edge: 'index' });
  const usedRows = [...new Set([...rows.low, ...rows.high])];
  const inputRow = input.width * input.channels;
  const outputRow = output.width * input.channels;
  const length = output.height * outputRow;
  // Kept from image to image: a fresh array costs as much time as a third of the arithmetic.
  let bytesInXOnly: Int32Array | undefined;
  let floatsInXOnly: Float32Array | undefined;

  const resizeInX = (source: Uint8Array): Int32Array => {
    bytesInXOnly ??= new Int32Array(input.height * outputRow);
    for (const y of usedRows) bytesInX(source, y * inputRow, columns, bytesInXOnly, y * outputRow);
    return bytesInXOnly;
  };

  return {
    resample(source) {
      if (source instanceof Uint8Array) {
        const inX = resizeInX(source);
        const result = new Uint8Array(length);
        for (let y = 0; y < output.height; y++) {
          bytesInY(inX, outputRow, rows, y, result, y * outputRow);
        }
        return result;
      }
      floatsInXOnly ??= new Float32Array(input.height * outputRow);
      const inX = floatsInXOnly;
      for (const y of usedRows) floatsInX(source, y * inputRow, columns, inX, y * outputRow);
      const result = new Float32Array(length);
      floatsInY(inX, outputRow, rows, result);
      return result;
    },
    lookUpInPlanes(source, tables, planes) {
      const inX = resizeInX(source);
      const { channels } = input;
      for (let channel = 0; channel < channels; channel++) {
        const place = { channel, channels, width: output.width };
        bytesInYByTable(inX, place, rows, tables[channel], planes);
      }
    },
  };
}
