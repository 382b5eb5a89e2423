import { defineFunction } from '../../assembler/function.ts';
import { i32 } from '../../assembler/scalars.ts';
import { callMicroKernel } from '../../micro-kernel/micro-kernel.ts';
import { tileOf } from '../../micro-kernel/tile.ts';

/** The product of each component: rows × columns, both packed. */
export const multiplyComponents = defineFunction(
  'winogradProducts',
  {
    components: 'i32',
    a: 'i32',
    aBytes: 'i32',
    b: 'i32',
    bBytes: 'i32',
    k: 'i32',
    rows: 'i32',
    columns: 'i32',
    c: 'i32',
    cBytes: 'i32',
    mode: 'i32',
  },
  (f, { components, a, aBytes, b, bBytes, k, rows, columns, c, cBytes, mode }) => {
    const tile = tileOf(f.features);
    const rowStride = f.i32(columns.times(4));
    const panelA = f.i32();
    const panelB = f.i32();
    const product = f.i32();
    const rowsLeft = f.i32();
    f.for(0, components, 1, () => {
      panelB.set(b);
      f.for(0, columns, tile.columns, (column) => {
        panelA.set(a);
        product.set(c.plus(column.times(4)));
        f.for(0, rows, tile.rows, (row) => {
          rowsLeft.set(rows.minus(row));
          const call = { a: panelA, b: panelB, k, c: product, rowStride, mode, bias: i32(0) };
          callMicroKernel(f, rowsLeft, call);
          panelA.set(panelA.plus(k.times(tile.rows * 4)));
          product.set(product.plus(rowStride.times(tile.rows)));
        });
        panelB.set(panelB.plus(k.times(tile.columns * 4)));
      });
      a.set(a.plus(aBytes));
      b.set(b.plus(bBytes));
      c.set(c.plus(cBytes));
    });
  },
);
