import { defineFunction } from '../../assembler/function.ts';
import { loadSplat } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import { splat } from '../../assembler/vectors.ts';

/**
 * Kernels of 3 × 3 at each pixel, the most common ones. Three rows of outputs are computed at once from
 * five of pixels, so that a pixel is loaded three times and not nine: loads are what takes the time.
 */

export const SIDE = 3;
/** Fewer columns than the widest vector has lanes are left to others, on every machine. */
export const LEAST_COLUMNS = 8;

/** Calls `visit` for every pixel that `rows` rows of outputs need, each with its outputs and taps. */
export function forPixels(
  rows: number,
  visit: (
    pixel: { row: number; column: number },
    uses: readonly { row: number; tap: number }[],
  ) => void,
): void {
  for (let row = 0; row < rows + SIDE - 1; row++) {
    for (let column = 0; column < SIDE; column++) {
      const uses = Array.from({ length: rows }, (_, output) => ({
        row: output,
        tap: (row - output) * SIDE + column,
      }));
      visit(
        { row, column },
        uses.filter((use) => row - use.row >= 0 && row - use.row < SIDE),
      );
    }
  }
}

/** The addresses of rows from the first one on; V8 packs loads only from variables. */
export function setRows(rows: readonly Local<I32>[], first: I32, stride: I32): void {
  rows.forEach((row, number) => {
    row.set(number === 0 ? first : rows[number - 1].plus(stride));
  });
}

/** target[i, j] = bias + Σ weight[p, q] · source[i + p, j + q], for at least 3 rows and 8 columns. */
export const correlateThreeRows = defineFunction(
  'depthwiseThreeRows',
  {
    source: 'address',
    sourceStride: 'bytes',
    target: 'address',
    targetStride: 'bytes',
    rows: 'i32',
    columns: 'i32',
    /** Of the first tap, and from each to the next. */
    weights: 'address',
    weightStep: 'bytes',
    bias: 'f32',
    isRelu: 'flag',
  },
  (f, p) => {
    const weight = f.i32(p.weights);
    const factors = Array.from({ length: SIDE * SIDE }, () => {
      const factor = f.f32x4(loadSplat(weight));
      weight.set(weight.plus(p.weightStep));
      return factor;
    });
    const sums = f.floatsOf(SIDE);
    const pixel = f.floats();
    const from = f.i32sOf(SIDE + 2);
    const to = f.i32sOf(SIDE);
    const row = f.i32(0);
    const bytes = f.lanes * 4;
    f.doWhile(() => {
      // The last rows, and the last columns, are computed together with some before them once more.
      row.set(row.min(p.rows.minus(SIDE)));
      const source = f.i32(p.source.plus(row.times(p.sourceStride)));
      const target = f.i32(p.target.plus(row.times(p.targetStride)));
      const at = f.i32(0);
      const end = f.i32(p.columns.times(4));
      f.block((finished) => {
        f.doWhile(() => {
          at.set(at.min(end.minus(bytes)));
          setRows(from, source.plus(at), p.sourceStride);
          setRows(to, target.plus(at), p.targetStride);
          for (const sum of sums) sum.set(splat(p.bias));
          forPixels(SIDE, ({ row: line, column }, uses) => {
            // A jump, never taken, which V8 moves no loads across: they would take too many registers.
            if (column === 0 && line > 0) finished.breakIf(p.columns.equals(0));
            pixel.set(f.load(from[line], column * 4));
            for (const { row: output, tap } of uses) {
              sums[output].set(f.multiplyAdd(factors[tap], pixel, sums[output]));
            }
          });
          f.if(p.isRelu, () => {
            for (const sum of sums) sum.set(sum.positivePart());
          });
          sums.forEach((sum, output) => {
            f.store(to[output], sum);
          });
          at.set(at.plus(bytes));
        }, at.lessThan(end));
      });
      row.set(row.plus(SIDE));
    }, row.lessThan(p.rows));
  },
);
