import { defineFunction, type FunctionBuilder } from '../assembler/function.ts';
import { loadSplat } from '../assembler/loads.ts';
import type { ArgumentsOf } from '../assembler/parameters.ts';
import type { I32 } from '../assembler/scalars.ts';
import { tileOf } from './tile.ts';

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

/** How a product ends: bits of MODE, and the row's bias where they ask for one. */
export const ENDING = { mode: 'i32', bias: 'address' } as const;

const PARAMETERS = {
  a: 'address',
  b: 'address',
  k: 'i32',
  c: { address: 'address', rowStride: 'bytes' },
  ending: ENDING,
} as const;

/**
 * C[row][column] = Σ_k a[k][row] · b[k][column] for the first `rows` rows of a tile: the innermost
 * loop of every matrix product and convolution.
 *
 * `a` and `b` are packed: as many numbers for each k as a tile has rows, and columns, one after the
 * other. Each step loads two vectors of b, spreads each number of a over a vector, and makes two
 * vector products with it.
 *
 * V8 moves all loads of a stretch of code without jumps to its front, runs out of registers and
 * spills them, which halves the speed. The test of `k` after each step, needed for the remainder
 * anyway, ends the stretch.
 */
function defineMicroKernel(rows: number) {
  return defineFunction(`microKernel${rows}`, PARAMETERS, (f, p) => {
    const { a, b, k, c } = p;
    const { mode, bias } = p.ending;
    const tile = tileOf(f.features);
    const vectors = tile.columns / f.lanes;
    const sums = Array.from({ length: rows }, () => f.floatsOf(vectors));
    const row = f.i32();
    f.if(mode.and(MODE.bias), () => {
      sums.forEach((sumsOfRow, i) => {
        for (const sum of sumsOfRow) sum.set(loadSplat(bias, i * 4));
      });
    });

    const bs = f.floatsOf(vectors);
    const factor = f.f32x4();
    f.block((finished) => {
      f.doWhile(() => {
        for (let step = 0; step < UNROLL; step++) {
          bs.forEach((vector, j) => {
            vector.set(f.load(b, (step * tile.columns + j * f.lanes) * 4));
          });
          sums.forEach((sumsOfRow, i) => {
            factor.set(loadSplat(a, (step * tile.rows + i) * 4));
            sumsOfRow.forEach((sum, j) => {
              sum.set(f.multiplyAdd(factor, bs[j], sum));
            });
          });
          if (step < UNROLL - 1) finished.breakIf(k.equals(step + 1));
        }
        a.set(a.plus(UNROLL * tile.rows * 4));
        b.set(b.plus(UNROLL * tile.columns * 4));
        k.set(k.minus(UNROLL));
      }, k);
    });

    // Added to C as a whole: a long sum is one of sums, in which fewer digits are lost.
    f.if(mode.and(MODE.accumulate), () => {
      row.set(c.address);
      for (const sumsOfRow of sums) {
        sumsOfRow.forEach((sum, j) => {
          sum.set(sum.plus(f.load(row, j * f.lanes * 4)));
        });
        row.set(row.plus(c.rowStride));
      }
    });
    f.if(mode.and(MODE.relu), () => {
      for (const sum of sums.flat()) sum.set(sum.positivePart());
    });
    row.set(c.address);
    for (const sumsOfRow of sums) {
      sumsOfRow.forEach((sum, j) => {
        f.store(row, sum, j * f.lanes * 4);
      });
      row.set(row.plus(c.rowStride));
    }
  });
}

/** By the number of rows that are computed. */
const MICRO_KERNELS = [1, 2, 3, 4, 5, 6].map(defineMicroKernel);

/** The micro-kernel for whole tiles. */
export function wholeTileKernel(f: FunctionBuilder): (typeof MICRO_KERNELS)[number] {
  return MICRO_KERNELS[tileOf(f.features).rows - 1];
}

/** Calls the micro-kernel for the rows that are left, at most those of a tile. */
export function callMicroKernel(
  f: FunctionBuilder,
  rowsLeft: I32,
  values: ArgumentsOf<typeof PARAMETERS>,
): void {
  const call = (rows: number): void => {
    const callThis = (): void => f.call(MICRO_KERNELS[rows - 1], values);
    if (rows === 1) callThis();
    else f.if(rowsLeft.atLeast(rows), callThis, () => call(rows - 1));
  };
  call(tileOf(f.features).rows);
}
