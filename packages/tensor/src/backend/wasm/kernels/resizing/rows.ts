import { highToDoubles, lowToDoubles, splatF64 } from '../../assembler/doubles.ts';
import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadF32x4, loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { LocalsOf } from '../../assembler/parameters.ts';
import { type I32, loadF32 } from '../../assembler/scalars.ts';
import { splat } from '../../assembler/vectors.ts';
import { defineTask } from '../../runtime/task.ts';
import { toFloats } from '../lanes/long-sum.ts';
import { BAND_PRODUCT, forBandRows } from './band.ts';

/** Axes other than the last: what is weighted and added are rows of elements side by side. */

/** Terms that may be added in float32: so few lose little. */
export const MOST_SHORT = 16;
/** Vectors that are summed at once. */
const VECTORS = 4;

const ROW = {
  target: 'address',
  source: 'address',
  rowBytes: 'bytes',
  weights: 'address',
  terms: 'i32',
  count: 'i32',
} as const;

/** Adds `elements` neighbours with `add`, which gets addresses of a row and its weight. */
function sumElements(
  f: FunctionBuilder,
  { target, source, rowBytes, weights, terms, count }: LocalsOf<typeof ROW>,
  elements: number,
  add: (element: I32, weight: I32) => void,
  store: () => void,
): void {
  const element = f.i32(source);
  const weight = f.i32(weights);
  f.for(0, terms, 1, () => {
    f.if(loadF32(weight).notEquals(0), () => add(element, weight));
    element.set(element.plus(rowBytes));
    weight.set(weight.plus(4));
  });
  store();
  target.set(target.plus(elements * 4));
  source.set(source.plus(elements * 4));
  count.set(count.minus(elements));
}

const shortSums = defineFunction('shortSumsOfRows', ROW, (f, row) => {
  const { target, terms, count } = row;
  // From −0, which changes no number that is added to it; but a sum of none is 0.
  const start = f.f32(-0);
  f.if(terms.isZero(), () => start.set(0));
  const factor = f.f32x4();
  const sumVectors = (vectors: number, lanes: number): void => {
    const like = loadFloats(target, 0, lanes);
    const sums = Array.from({ length: vectors }, () => f.floatsLike(like, splat(start)));
    sumElements(
      f,
      row,
      vectors * lanes,
      (element, weight) => {
        factor.set(loadSplat(weight));
        sums.forEach((sum, i) => {
          sum.set(sum.plus(factor.times(loadFloats(element, i * lanes * 4, lanes))));
        });
      },
      () => {
        sums.forEach((sum, i) => {
          f.store(target, sum, i * lanes * 4);
        });
      },
    );
  };
  f.while(count.atLeast(VECTORS * f.lanes), () => sumVectors(VECTORS, f.lanes));
  f.while(count.atLeast(f.lanes), () => sumVectors(1, f.lanes));
  if (f.lanes > 4) f.if(count.atLeast(4), () => sumVectors(1, 4));
  const sum = f.f32();
  f.while(count.greaterThan(0), () => {
    sum.set(start);
    sumElements(
      f,
      row,
      1,
      (element, weight) => sum.set(sum.plus(loadF32(weight).times(loadF32(element)))),
      () => f.store(target, sum),
    );
  });
});

/** The same in float64. */
const longSums = defineFunction('longSumsOfRows', ROW, (f, row) => {
  const { target, count } = row;
  const low = f.f64x2();
  const high = f.f64x2();
  const product = f.f32x4();
  f.while(count.atLeast(4), () => {
    low.set(splatF64(0));
    high.set(splatF64(0));
    sumElements(
      f,
      row,
      4,
      (element, weight) => {
        product.set(loadSplat(weight).times(loadF32x4(element)));
        low.set(low.plus(lowToDoubles(product)));
        high.set(high.plus(highToDoubles(product)));
      },
      () => f.store(target, toFloats([low, high])),
    );
  });
  const sum = f.f64();
  f.while(count.greaterThan(0), () => {
    sum.set(0);
    sumElements(
      f,
      row,
      1,
      (element, weight) => sum.set(sum.plus(loadF32(weight).times(loadF32(element)).toF64())),
      () => f.store(target, sum.toF32()),
    );
  });
});

export const rowsTask = defineTask('weightedRows', BAND_PRODUCT, (f, p, { index }) => {
  const rowBytes = f.i32(p.inner.times(4));
  forBandRows(f, p, index, (product) => {
    const row = { ...product, rowBytes, count: p.inner };
    const isShort = product.terms.atMost(MOST_SHORT);
    f.if(
      isShort,
      () => f.call(shortSums, row),
      () => f.call(longSums, row),
    );
  });
});
