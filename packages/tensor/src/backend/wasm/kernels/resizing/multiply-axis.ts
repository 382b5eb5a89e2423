import type { BandMatrix } from '../../../../core/band-matrix.ts';
import type { NdArray } from '../../../../core/ndarray.ts';
import { splitAtAxis } from '../../../../core/shape.ts';
import { addressAfter } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { keptTable } from '../../runtime/tables.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { dotsTask, gatherTaskFor, LANES } from './lines.ts';
import { MOST_SHORT, rowsTask } from './rows.ts';

/** Starts, first columns and weights of the rows, one list behind the other. */
function bandTable({ starts, firsts, weights }: BandMatrix): Int32Array {
  const words = new Int32Array(starts.length + firsts.length + weights.length);
  words.set(starts);
  words.set(firsts, starts.length);
  new Float32Array(words.buffer).set(weights, starts.length + firsts.length);
  return words;
}

/**
 * First columns, then the first weights of all rows, the second ones and so on, as many for each row
 * as the widest has: rows that are narrower begin early enough not to end outside, with weights 0.
 */
function evenTable(matrix: BandMatrix, width: number): Int32Array {
  const { rows, columns, starts, firsts, weights } = matrix;
  const padded = Math.ceil(rows / LANES) * LANES;
  const words = new Int32Array(padded * (1 + width));
  const floats = new Float32Array(words.buffer);
  for (let row = 0; row < rows; row++) {
    const first = Math.min(firsts[row], columns - width);
    words[row] = first * 4;
    for (let i = starts[row]; i < starts[row + 1]; i++) {
      const column = firsts[row] + i - starts[row];
      floats[padded * (1 + column - first) + row] = weights[i];
    }
  }
  return words;
}

/** The product of a matrix and each line along an axis. */
export function multiplyAxisOnWasm(x: NdArray, axis: number, matrix: BandMatrix): NdArray {
  const [before, length, inner] = splitAtAxis(x.shape, axis);
  const { rows, key } = matrix;
  const width = Math.max(1, matrix.width);
  return inFrame((frame) => {
    const y = frame.output(x.shape.with(axis, rows));
    const places = { source: frame.input(x), target: y.address };
    if (inner === 1 && width <= MOST_SHORT) {
      const table = keptTable(`${key} even`, () => evenTable(matrix, width));
      const ofPart = Math.max(1, Math.floor(CHUNK / (rows * width)));
      const lines = { count: before, ofPart, length, rows };
      frame.run(gatherTaskFor(width), Math.ceil(before / ofPart), {
        ...places,
        lines,
        width,
        table,
      });
      return y.array;
    }
    const starts = keptTable(key, () => bandTable(matrix));
    const firsts = addressAfter(starts, (rows + 1) * 4);
    const band = { rows, starts, firsts, weights: addressAfter(firsts, rows * 4) };
    const count = before * rows;
    const ofPart = Math.max(1, Math.floor(CHUNK / (inner * width)));
    const parts = Math.ceil(count / ofPart);
    const task = inner === 1 ? dotsTask : rowsTask;
    frame.run(task, parts, { ...places, band, count, ofPart, length, inner });
    return y.array;
  });
}
