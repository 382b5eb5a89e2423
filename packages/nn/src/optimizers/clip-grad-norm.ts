import { assign, mul, sum, type Tensor, tidy, ValueError } from '@firelight/tensor';

/**
 * Scales all gradients together so that their common L2 norm is at most `maxNorm`.
 *
 * @param parameters those without a gradient do not count
 * @returns the norm before; where it is not finite the gradients are left as they are
 * @throws ValueError unless maxNorm > 0
 * @see Pascanu et al., "On the difficulty of training recurrent neural networks", 2013
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): number {
  if (!(maxNorm > 0)) throw new ValueError(`clipGradNorm: maxNorm must be > 0, got ${maxNorm}`);
  const gradients = parameters.flatMap(({ grad }) => (grad === null ? [] : [grad]));
  return tidy(() => {
    const squares = gradients.map((gradient) => sum(mul(gradient, gradient)).item());
    const norm = Math.sqrt(squares.reduce((total, square) => total + square, 0));
    if (norm > maxNorm && Number.isFinite(norm)) {
      for (const gradient of gradients) assign(gradient, mul(gradient, maxNorm / norm));
    }
    return norm;
  });
}
