import { measure } from './measure.ts';
import { firelight, openBlas } from './peers.ts';
import { median, table } from './statistics.ts';
import { PRODUCTS, type Product } from './workloads.ts';

/** Matrix products of float32 here and in OpenBLAS, in GFLOP/s. */
export function compareProducts(rounds: number): void {
  const blas = openBlas();
  if (blas === null) return;
  const results = measure([firelight, blas], [PRODUCTS], rounds);
  const rate = ({ name, rows, inner, columns }: Product, contender: string): number => {
    const { milliseconds } = results.of(name, contender)!; // Both run all products.
    return (2 * rows * inner * columns) / median(milliseconds) / 1e6;
  };
  const lines = PRODUCTS.map((product) => {
    const [own, theirs] = [rate(product, firelight.name), rate(product, blas.name)];
    const cells = [own.toFixed(1), theirs.toFixed(1), (own / theirs).toFixed(2)];
    return [`${product.name} ${product.title}`, ...cells];
  });
  const heads = ['matmul, GFLOP/s', firelight.name, blas.name, 'ours / theirs'];
  console.log(`\n${table([heads, ...lines])}`);
  console.log('(These are rates: above 1 Firelight is faster.)');
}
