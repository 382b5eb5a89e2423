import { layerNorm, ones, rmsNorm, type Shape, type Tensor, zeros } from '@firelight/tensor';
import { expectBoolean, expectShape, expectThat, readOptions } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import { Module } from '../module/module.ts';

/** Size of a `LayerNorm` or `RMSNorm`. */
export interface LayerNormLayerOptions {
  /** Lengths of the last axes, which are normalized together; a number for the last axis alone. */
  readonly normalizedShape: number | Shape;
  /** Added to the variance, or the mean square; 1e-5 by default. */
  readonly epsilon?: number;
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
}

/** The options of either layer, checked, with the lengths of the axes as a list. */
function readNorm(
  layer: string,
  options: LayerNormLayerOptions,
  known: readonly (keyof LayerNormLayerOptions)[],
): { shape: Shape; epsilon: number; bias: boolean } {
  const { normalizedShape, epsilon = 1e-5, bias = true } = readOptions(layer, options, known);
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  const isList = Array.isArray(shape) && shape.length > 0;
  const rule = 'a length, or a list of at least one';
  expectThat(isList, layer, 'normalizedShape', rule, normalizedShape);
  expectShape(layer, shape);
  expectNotNegative(layer, 'epsilon', epsilon);
  expectBoolean(layer, 'bias', bias);
  return { shape, epsilon, bias };
}

const UNDECAYED = { decay: false };

/**
 * Normalizes each sample over its last axes, with parameters `weight` and `bias` of their shape; see
 * `layerNorm`. Weight decay leaves them alone by default.
 */
export class LayerNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: lengths are integers ≥ 0, and `epsilon` is a number ≥ 0 */
  constructor(options: LayerNormLayerOptions) {
    super();
    const known = ['normalizedShape', 'epsilon', 'bias'] as const;
    const { shape, epsilon, bias } = readNorm('LayerNorm', options, known);
    const grad = { requiresGrad: true };
    this.weight = this.registerParameter('weight', ones(shape, grad), UNDECAYED);
    this.bias = bias ? this.registerParameter('bias', zeros(shape, grad), UNDECAYED) : null;
    this.#epsilon = epsilon;
  }

  /** `[..., normalizedShape]` → the same shape */
  forward(x: Tensor): Tensor {
    const options = { axis: -this.weight.rank, epsilon: this.#epsilon };
    return layerNorm(x, this.weight, this.bias, options);
  }
}

/**
 * Scales each sample to a mean square of 1 over its last axes, with the parameter `weight` of their shape;
 * see `rmsNorm`. Weight decay leaves it alone by default.
 */
export class RMSNorm extends Module {
  readonly weight: Tensor;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: lengths are integers ≥ 0, and `epsilon` is a number ≥ 0 */
  constructor(options: Omit<LayerNormLayerOptions, 'bias'>) {
    super();
    const { shape, epsilon } = readNorm('RMSNorm', options, ['normalizedShape', 'epsilon']);
    this.weight = this.registerParameter('weight', ones(shape, { requiresGrad: true }), UNDECAYED);
    this.#epsilon = epsilon;
  }

  /** `[..., normalizedShape]` → the same shape */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, { axis: -this.weight.rank, epsilon: this.#epsilon });
  }
}
