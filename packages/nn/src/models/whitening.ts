import { concat, reshape, ShapeError, type Tensor, tensor } from '@firelight/tensor';
import {
  asTensor,
  expectInteger,
  expectThat,
  formatShape,
  readOptions,
  type TensorLike,
} from '@firelight/tensor/extend';
import { symmetricEigen } from './symmetric-eigen.ts';

/** Of which patches `whiteningWeights` makes filters. */
export interface WhiteningOptions {
  /** Height and width k of the patches; 2 by default. */
  readonly kernelSize?: number;
  /** Added to the eigenvalues, so that directions without variance stay small; 5e-4 by default. */
  readonly epsilon?: number;
}

/**
 * Filters whose outputs on patches of these images are uncorrelated, with mean square near 1: v / √(λ + ε)
 * for each eigenvector v, with eigenvalue λ, of the patches' second moments, the largest λ first, and
 * after them the same with the other sign.
 *
 * @param images `[N, C, H, W]`, normalized; a few thousand do
 * @returns `[2·C·k·k, C, k, k]`, float32
 * @throws ShapeError unless they are images of at least k × k; ValueError for a wrong option, or images
 *   with NaN or an infinity
 * @see Jordan, arXiv:2404.00498, section 3.2
 */
export function whiteningWeights(images: TensorLike, options: WhiteningOptions = {}): Tensor {
  const { kernelSize = 2, epsilon = 5e-4 } = readOptions('whiteningWeights', options, [
    'kernelSize',
    'epsilon',
  ]);
  expectInteger('whiteningWeights', 'kernelSize', kernelSize, 1);
  const isEpsilon = Number.isFinite(epsilon) && epsilon > 0;
  expectThat(isEpsilon, 'whiteningWeights', 'epsilon', 'a number above 0', epsilon);
  const x = asTensor('whiteningWeights', 'images', images);
  const isRight = x.rank === 4 && x.size > 0 && Math.min(x.shape[2], x.shape[3]) >= kernelSize;
  if (!isRight) {
    throw new ShapeError(
      `whiteningWeights: needs images [N, C, H, W] of at least ${kernelSize} × ${kernelSize}, ` +
        `got ${formatShape(x.shape)}`,
    );
  }
  const outlier = x.data.find((element) => !Number.isFinite(Number(element)));
  const rule = 'finite in every element';
  expectThat(outlier === undefined, 'whiteningWeights', 'images', rule, outlier);
  const C = x.shape[1];
  const filters = symmetricEigen(patchMoments(x, kernelSize)).map(({ value, vector }) =>
    vector.map((entry) => entry / Math.sqrt(Math.max(value, 0) + epsilon)),
  );
  const all = [...filters, ...filters.map((filter) => filter.map((entry) => -entry))];
  const rows = all.map((filter) =>
    tensor(Float32Array.from(filter), { shape: [1, filter.length] }),
  );
  return reshape(concat(rows, 0), [all.length, C, kernelSize, kernelSize]);
}

/** Means of the products of each two of the C·k·k elements of a patch, over all patches. */
function patchMoments(x: Tensor, kernelSize: number): Float64Array[] {
  const [N, C, H, W] = x.shape;
  const [rows, columns] = [H - kernelSize + 1, W - kernelSize + 1];
  const { data } = x;
  /** Places of a patch's elements from that of its first. */
  const places = Array.from({ length: C * kernelSize ** 2 }, (_, i) => {
    const column = i % kernelSize;
    const row = Math.floor(i / kernelSize) % kernelSize;
    return Math.floor(i / kernelSize ** 2) * H * W + row * W + column;
  });
  const moments = places.map(() => new Float64Array(places.length));
  const patch = new Float64Array(places.length);
  for (let n = 0; n < N; n++) {
    for (let at = 0; at < rows * columns; at++) {
      const start = n * C * H * W + Math.floor(at / columns) * W + (at % columns);
      for (let i = 0; i < places.length; i++) patch[i] = Number(data[start + places[i]]);
      for (let i = 0; i < places.length; i++) {
        for (let j = i; j < places.length; j++) moments[i][j] += patch[i] * patch[j];
      }
    }
  }
  const patches = N * rows * columns;
  return moments.map((_, i) =>
    Float64Array.from(places, (_, j) => moments[Math.min(i, j)][Math.max(i, j)] / patches),
  );
}
