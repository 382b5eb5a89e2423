import { defineFunction } from '../../assembler/function.ts';
import { loadF32x4, loadSplat } from '../../assembler/vectors.ts';

/** Rows and columns of the tile that is held in registers: 8 accumulators of 4 lanes. */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;
/** Products of one turn of the loop. */
const UNROLL = 4;

/** How a product ends; the numbers are bits of `mode`. */
export const MODE = {
  /** C ← C + A·B instead of A·B. */
  accumulate: 1,
  /** C ← bias of the row + A·B. */
  bias: 2,
  /** C ← max(0, …), after everything else. */
  relu: 4,
} as const;

/**
 * C[4 × 8] = Σ_k a[k][0…3] · b[k][0…7]: the innermost loop of every matrix product and convolution.
 *
 * `a` and `b` are packed: four, and eight, numbers for each k, one after the other. Each step loads
 * two vectors of b, spreads each of the four a over a vector, and makes eight vector products.
 *
 * V8 moves all loads of a stretch of code without jumps to its front, runs out of registers and
 * spills them, which halves the speed. The test of `k` after each step, needed for the remainder
 * anyway, ends the stretch.
 */
export const microKernel = defineFunction(
  'microKernel',
  { a: 'i32', b: 'i32', k: 'i32', c: 'i32', rowStride: 'i32', mode: 'i32', bias: 'i32' },
  (f, { a, b, k, c, rowStride, mode, bias }) => {
    const sums = Array.from({ length: TILE_ROWS }, () => f.f32x4s(TILE_COLUMNS / 4));
    const row = f.i32();
    f.if(mode.and(MODE.bias), () => {
      sums.forEach((sumsOfRow, i) => {
        for (const sum of sumsOfRow) sum.set(loadSplat(bias, i * 4));
      });
    });

    const bs = f.f32x4s(TILE_COLUMNS / 4);
    const factor = f.f32x4();
    f.block((finished) => {
      f.doWhile(() => {
        for (let step = 0; step < UNROLL; step++) {
          bs.forEach((vector, j) => {
            vector.set(loadF32x4(b, (step * TILE_COLUMNS + j * 4) * 4));
          });
          sums.forEach((sumsOfRow, i) => {
            factor.set(loadSplat(a, (step * TILE_ROWS + i) * 4));
            sumsOfRow.forEach((sum, j) => {
              sum.set(f.multiplyAdd(factor, bs[j], sum));
            });
          });
          if (step < UNROLL - 1) finished.breakIf(k.equals(step + 1));
        }
        a.set(a.plus(UNROLL * TILE_ROWS * 4));
        b.set(b.plus(UNROLL * TILE_COLUMNS * 4));
        k.set(k.minus(UNROLL));
      }, k);
    });

    // Added to C as a whole: a long sum is one of sums, in which fewer digits are lost.
    f.if(mode.and(MODE.accumulate), () => {
      row.set(c);
      for (const sumsOfRow of sums) {
        sumsOfRow.forEach((sum, j) => {
          sum.set(sum.plus(loadF32x4(row, j * 16)));
        });
        row.set(row.plus(rowStride));
      }
    });
    f.if(mode.and(MODE.relu), () => {
      for (const sum of sums.flat()) sum.set(sum.positivePart());
    });
    row.set(c);
    for (const sumsOfRow of sums) {
      sumsOfRow.forEach((sum, j) => {
        f.store(row, sum, j * 16);
      });
      row.set(row.plus(rowStride));
    }
  },
);
