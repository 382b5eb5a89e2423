import { highToDoubles, lowToDoubles } from '../../assembler/doubles.ts';
import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadF32x4, loadF64x2 } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type I32, loadI32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { PRODUCT_LANES, PRODUCTS_BYTES, SUM_BYTES, TAP_WORDS, TAPS } from './geometry.ts';
import { forPixels, SIDE, setRows } from './three-rows.ts';

/**
 * Σ_i g[i] · x[i + tap] for nine taps: the weights' gradient from a strip of a plane, in float32. Where
 * vectors have fewer lanes than its sums, it takes two passes.
 */

/** Bytes of a tap's sum. */
const PRODUCT_BYTES = PRODUCT_LANES * 4;

/** `body` for each part of eight lanes, which begins `start` bytes behind their first; then its sums are written. */
function forParts(
  f: FunctionBuilder,
  products: I32,
  body: (start: I32, sums: readonly Local<Floats>[]) => void,
): void {
  const sums = f.floatsOf(TAPS);
  const target = f.i32();
  f.for(0, PRODUCT_BYTES, f.lanes * 4, (start) => {
    for (const sum of sums) sum.set(splat(0));
    body(start, sums);
    target.set(products.plus(start));
    sums.forEach((sum, tap) => {
      f.store(target, sum, tap * PRODUCT_BYTES);
    });
  });
}

const FLAT = {
  x: 'address',
  g: 'address',
  /** 1 for each g that is one, and 0 for what lies between rows. */
  isPixel: 'address',
  count: 'i32',
  taps: 'address',
  products: 'address',
} as const;

/** Rows behind one another; between them g is 0, but x is not, and may be infinite. */
const flatProducts = (isCareful: boolean) =>
  defineFunction(
    isCareful ? 'depthwiseCarefulProducts' : 'depthwiseProducts',
    FLAT,
    (f, { x, g, isPixel, count, taps, products }) => {
      const offsets = Array.from({ length: TAPS }, (_, tap) =>
        f.i32(x.minus(g).plus(loadI32(taps, tap * TAP_WORDS * 4))),
      );
      const pixels = f.i32();
      const factor = f.floats();
      const mask = f.ints();
      const at = f.i32();
      forParts(f, products, (start, sums) => {
        const end = f.i32(g.plus(count.times(4)));
        at.set(g.plus(start));
        f.block((finished) => {
          f.while(at.lessThan(end), () => {
            factor.set(f.load(at));
            if (isCareful) {
              pixels.set(isPixel.plus(at.minus(g)));
              mask.set(f.load(pixels).notEquals(splat(0)));
            }
            sums.forEach((sum, tap) => {
              // A jump, never taken, which V8 moves no loads across: they would take too many registers.
              if (tap % SIDE === SIDE - 1) finished.breakIf(count.equals(0));
              pixels.set(at.plus(offsets[tap]));
              const loaded = f.load(pixels);
              const pixel = isCareful ? loaded.bits().and(mask).bits() : loaded;
              sum.set(f.multiplyAdd(factor, pixel, sum));
            });
            at.set(at.plus(PRODUCT_BYTES));
          });
        });
      });
    },
  );

const fastProducts = flatProducts(false);
const carefulProducts = flatProducts(true);

const SUMS = { products: 'address', sums: 'address' } as const;

/** sums[tap] += its eight lanes, four by four. */
const addToSums = defineFunction('depthwiseAddToSums', SUMS, (f, { products, sums }) => {
  const lanes = f.f32x4();
  f.for(0, TAPS, 1, () => {
    for (const half of [0, PRODUCT_BYTES / 2]) {
      lanes.set(loadF32x4(products, half));
      f.store(sums, loadF64x2(sums).plus(lowToDoubles(lanes)));
      f.store(sums, loadF64x2(sums, 16).plus(highToDoubles(lanes)), 16);
    }
    products.set(products.plus(PRODUCT_BYTES));
    sums.set(sums.plus(SUM_BYTES));
  });
});

/** sums[tap] += Σ_i g[i] · x[i + tap]. */
export const addProducts = defineFunction(
  'depthwiseAddProducts',
  { ...FLAT, sums: 'address' },
  (f, { sums, ...values }) => {
    const { products } = values;
    f.call(fastProducts, values);
    // What is infinite between rows made a sum NaN; so rarely that a second look is cheaper than care.
    const all = f.f32x4(splat(0));
    for (let at = 0; at < PRODUCTS_BYTES; at += 16) all.set(all.plus(loadF32x4(products, at)));
    const total = f.f32(all.lane(0).plus(all.lane(1)).plus(all.lane(2)).plus(all.lane(3)));
    f.if(total.notEquals(total), () => f.call(carefulProducts, values));
    f.call(addToSums, { products, sums });
  },
);

const ROWS = {
  x: 'address',
  xStride: 'bytes',
  g: 'address',
  gStride: 'bytes',
  columns: 'i32',
  /** Eight numbers: 1 for each of the columns beyond the last whole vector, and 0. */
  isPixel: 'address',
  products: 'address',
} as const;

/** Nine neighbouring taps, for groups of so many rows of g, which is 0 beyond its columns. */
const rowProducts = (rows: number) =>
  defineFunction(`depthwiseProductsOf${rows}Rows`, { ...ROWS, groups: 'i32' }, (f, p) => {
    const factors = f.floatsOf(rows);
    const pixel = f.floats();
    const mask = f.ints();
    const xRows = f.i32sOf(rows + SIDE - 1);
    const gRows = f.i32sOf(rows);
    const whole = f.i32(p.columns.dividedBy(PRODUCT_LANES).times(PRODUCT_BYTES));
    forParts(f, p.products, (start, sums) => {
      const x = f.i32(p.x.plus(start));
      const g = f.i32(p.g.plus(start));
      const at = f.i32(p.isPixel.plus(start));
      mask.set(f.load(at).notEquals(splat(0)));
      f.for(0, p.groups, 1, () => {
        /** Beyond the columns x is masked, as it may be infinite. */
        const vector = (isLast: boolean): void =>
          f.block((finished) => {
            setRows(xRows, x.plus(at), p.xStride);
            setRows(gRows, g.plus(at), p.gStride);
            factors.forEach((factor, row) => {
              factor.set(f.load(gRows[row]));
            });
            forPixels(rows, ({ row, column }, uses) => {
              // A jump, never taken, which V8 moves no loads across: they would take too many registers.
              if (column === 0 && row > 0) finished.breakIf(p.groups.equals(0));
              const loaded = f.load(xRows[row], column * 4);
              pixel.set(isLast ? loaded.bits().and(mask).bits() : loaded);
              for (const { row: output, tap } of uses) {
                sums[tap].set(f.multiplyAdd(factors[output], pixel, sums[tap]));
              }
            });
          });
        at.set(0);
        f.while(at.lessThan(whole), () => {
          vector(false);
          at.set(at.plus(PRODUCT_BYTES));
        });
        f.if(at.lessThan(p.columns.times(4)), () => vector(true));
        x.set(x.plus(p.xStride.times(rows)));
        g.set(g.plus(p.gStride.times(rows)));
      });
    });
  });

const productsOfThreeRows = rowProducts(SIDE);
const productsOfOneRow = rowProducts(1);

/** sums[3p + q] += Σ g[i, j] · x[i + p, j + q]. */
export const addProductsOfRows = defineFunction(
  'depthwiseAddProductsOfRows',
  { ...ROWS, rows: 'i32', sums: 'address' },
  (f, { rows, sums, ...values }) => {
    const { products, x, xStride, g, gStride } = values;
    const groups = f.i32(rows.dividedBy(SIDE));
    f.call(productsOfThreeRows, { ...values, groups });
    f.call(addToSums, { products, sums });
    const rest = f.i32(rows.modulo(SIDE));
    f.if(rest, () => {
      const done = f.i32(groups.times(SIDE));
      x.set(x.plus(done.times(xStride)));
      g.set(g.plus(done.times(gStride)));
      f.call(productsOfOneRow, { ...values, groups: rest });
      f.call(addToSums, { products, sums });
    });
  },
);
