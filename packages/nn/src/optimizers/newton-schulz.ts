import { add, div, matmul, mul, sqrt, sum, type Tensor, tidy } from '@firelight/tensor';

/** Of p(σ) = a σ + b σ³ + c σ⁵, which brings small singular values up fast and holds the others near 1. */
const [A, B, C] = [3.4445, -4.775, 2.0315];

/**
 * About the nearest matrix whose singular values are all 1, U · Vᵀ of the singular value decomposition
 * U · Σ · Vᵀ. With X₀ = G / (‖G‖ + eps), in each of `steps` steps: X ← a X + (b X Xᵀ + c (X Xᵀ)²) X. After
 * five, singular values of X₀ from 0.002 on are between 0.68 and 1.21.
 *
 * @param matrix `[rows, columns]`
 * @see Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
 *   kellerjordan.github.io/posts/muon
 */
export function newtonSchulz(
  matrix: Tensor,
  { steps, eps }: { readonly steps: number; readonly eps: number },
): Tensor {
  const [rows, columns] = matrix.shape;
  // p of the smaller of X Xᵀ and Xᵀ X gives the same.
  const isTall = rows > columns;
  let x = tidy(() => div(matrix, add(sqrt(sum(mul(matrix, matrix))), eps)));
  for (let step = 0; step < steps; step++) {
    const before = x;
    x = tidy(() => {
      const gram = matmul(before, before, isTall ? { transposeA: true } : { transposeB: true });
      const factor = add(mul(gram, B), mul(matmul(gram, gram), C));
      const product = isTall ? matmul(before, factor) : matmul(factor, before);
      return add(mul(before, A), product);
    });
    before.dispose();
  }
  return x;
}
