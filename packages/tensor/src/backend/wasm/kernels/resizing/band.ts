import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { type I32, loadI32 } from '../../assembler/scalars.ts';
import { partRange } from '../loops/part-range.ts';

/** A matrix, and an axis [.., length, inner] that it is multiplied with to [.., rows, inner]. */
export const BAND_PRODUCT = {
  source: 'address',
  target: 'address',
  /** See `BandMatrix`. */
  band: { rows: 'i32', starts: 'address', firsts: 'address', weights: 'address' },
  /** Rows of the result, of all axes. */
  count: 'i32',
  ofPart: 'i32',
  length: 'i32',
  inner: 'i32',
} as const;

/** One row of the result: where it goes, and what it is the weighted sum of. */
interface BandProduct {
  readonly target: Local<I32>;
  readonly source: Local<I32>;
  readonly weights: Local<I32>;
  readonly terms: Local<I32>;
}

/** Runs `body` for each row of part `index`. */
export function forBandRows(
  f: FunctionBuilder,
  p: LocalsOf<typeof BAND_PRODUCT>,
  index: I32,
  body: (product: BandProduct) => void,
): void {
  const { first, end } = partRange(f, index, p.ofPart, p.count);
  const product = { target: f.i32(), source: f.i32(), weights: f.i32(), terms: f.i32() };
  const inRow = f.i32();
  f.for(first, end, 1, (i) => {
    inRow.set(i.modulo(p.band.rows).times(4));
    const start = f.i32(loadI32(p.band.starts.plus(inRow)));
    const outer = i.dividedBy(p.band.rows).times(p.length);
    const line = outer.plus(loadI32(p.band.firsts.plus(inRow)));
    product.terms.set(loadI32(p.band.starts.plus(inRow), 4).minus(start));
    product.source.set(p.source.plus(line.times(p.inner).times(4)));
    product.weights.set(p.band.weights.plus(start.times(4)));
    product.target.set(p.target.plus(i.times(p.inner).times(4)));
    body(product);
  });
}
