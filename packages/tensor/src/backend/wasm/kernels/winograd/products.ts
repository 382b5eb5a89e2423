import { defineFunction } from '../../assembler/function.ts';
import { i32 } from '../../assembler/scalars.ts';
import { callMicroKernel } from '../../micro-kernel/micro-kernel.ts';
import { tileOf } from '../../micro-kernel/tile.ts';

/** Where n² components lie: `componentBytes` one behind the other. */
export const COMPONENTS = { address: 'address', componentBytes: 'bytes' } as const;

/** The product of each component: rows × columns, both packed. */
export const multiplyComponents = defineFunction(
  'winogradProducts',
  {
    count: 'i32',
    a: COMPONENTS,
    b: COMPONENTS,
    k: 'i32',
    rows: 'i32',
    columns: 'i32',
    c: COMPONENTS,
    mode: 'i32',
  },
  (f, { count, a, b, k, rows, columns, c, mode }) => {
    const tile = tileOf(f.features);
    const rowStride = f.i32(columns.times(4));
    const panelA = f.i32();
    const panelB = f.i32();
    const product = f.i32();
    const rowsLeft = f.i32();
    f.for(0, count, 1, () => {
      panelB.set(b.address);
      f.for(0, columns, tile.columns, (column) => {
        panelA.set(a.address);
        product.set(c.address.plus(column.times(4)));
        f.for(0, rows, tile.rows, (row) => {
          rowsLeft.set(rows.minus(row));
          callMicroKernel(f, rowsLeft, {
            a: panelA,
            b: panelB,
            k,
            c: { address: product, rowStride },
            ending: { mode, bias: i32(0) },
          });
          panelA.set(panelA.plus(k.times(tile.rows * 4)));
          product.set(product.plus(rowStride.times(tile.rows)));
        });
        panelB.set(panelB.plus(k.times(tile.columns * 4)));
      });
      for (const { address, componentBytes } of [a, b, c]) {
        address.set(address.plus(componentBytes));
      }
    });
  },
);
