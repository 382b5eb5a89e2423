import { type Shape, ShapeError } from '@firelight/tensor';
import { elementCount, expectShare, expectThat, formatShape } from '@firelight/tensor/extend';
import type { Initializer } from './initializer.ts';

/** Initializers that set up a structure; rules of mindspore/common/initializer.py. */

function expectRank(name: string, shape: Shape, ranks: readonly number[]): void {
  if (!ranks.includes(shape.length)) {
    throw new ShapeError(
      `${name}: needs ${ranks.join(' or ')} axes, got shape ${formatShape(shape)}`,
    );
  }
}

/** A matrix with ones on the diagonal. */
export function identity(): Initializer {
  return (shape) => {
    expectRank('identity', shape, [2]);
    const [rows, columns] = shape;
    const values = new Float64Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
    return values;
  };
}

/** A convolution that copies its input channels: a 1 in the middle of kernel [c, c] of each group. */
export function dirac({ groups = 1 } = {}): Initializer {
  return (shape) => {
    expectRank('dirac', shape, [3, 4, 5]);
    const [outChannels, inChannels, ...kernel] = shape;
    const isDivisor = Number.isInteger(groups) && groups >= 1 && outChannels % groups === 0;
    const rule = `an integer that divides ${outChannels} channels`;
    expectThat(isDivisor, 'dirac', 'groups', rule, groups);
    const kernelSize = elementCount(kernel);
    const middle = kernel.reduce((at, length) => at * length + Math.floor(length / 2), 0);
    const groupSize = outChannels / groups;
    const values = new Float64Array(outChannels * inChannels * kernelSize);
    for (let group = 0; group < groups; group++) {
      for (let c = 0; c < Math.min(groupSize, inChannels); c++) {
        values[((group * groupSize + c) * inChannels + c) * kernelSize + middle] = 1;
      }
    }
    return values;
  };
}

/**
 * A random (semi-)orthogonal matrix `[shape[0], Π rest]` times `gain`: rows are orthonormal if there
 * are no more of them than columns, else columns are. Gram–Schmidt on normal random vectors.
 *
 * @see Saxe et al., arXiv:1312.6120
 */
export function orthogonal({ gain = 1 } = {}): Initializer {
  return (shape, generator) => {
    if (shape.length < 2) expectRank('orthogonal', shape, [2]);
    const rows = shape[0];
    const columns = elementCount(shape.slice(1));
    const count = Math.min(rows, columns);
    const length = Math.max(rows, columns);
    const vectors = Array.from({ length: count }, () => generator.normal(length));
    vectors.forEach((vector, i) => {
      // Twice is enough to be orthogonal to the last bits (Kahan).
      for (let pass = 0; pass < 2; pass++) {
        for (const earlier of vectors.slice(0, i)) {
          const overlap = vector.reduce((sum, value, k) => sum + value * earlier[k], 0);
          for (let k = 0; k < length; k++) vector[k] -= overlap * earlier[k];
        }
      }
      const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
      for (let k = 0; k < length; k++) vector[k] /= norm;
    });
    const values = new Float64Array(rows * columns);
    vectors.forEach((vector, i) => {
      for (let k = 0; k < length; k++) {
        values[rows <= columns ? i * columns + k : k * columns + i] = gain * vector[k];
      }
    });
    return values;
  };
}

/** A matrix of N(0, sigma²) with the share `sparsity` (rounded up) of each column set to 0. */
export function sparse({ sparsity = 0.1, sigma = 0.01 } = {}): Initializer {
  return (shape, generator) => {
    expectRank('sparse', shape, [2]);
    expectShare('sparse', 'sparsity', sparsity);
    const [rows, columns] = shape;
    const values = generator.normal(rows * columns, { std: sigma });
    for (let column = 0; column < columns; column++) {
      const order = generator.permutation(rows);
      for (const row of order.subarray(0, Math.ceil(sparsity * rows))) {
        values[row * columns + column] = 0;
      }
    }
    return values;
  };
}
