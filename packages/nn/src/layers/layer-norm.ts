import { layerNorm, ones, rmsNorm, type Shape, type Tensor, zeros } from '@firelight/tensor';
import { expectShape } from '@firelight/tensor/extend';
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

function shapeOf(layer: string, { normalizedShape }: LayerNormLayerOptions): Shape {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  expectShape(layer, shape);
  return shape;
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

  /** @throws ValueError unless `normalizedShape` is a list of integers ≥ 0 */
  constructor(options: LayerNormLayerOptions) {
    super();
    const shape = shapeOf('LayerNorm', options);
    const { epsilon = 1e-5, bias = true } = options;
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

  /** @throws ValueError unless `normalizedShape` is a list of integers ≥ 0 */
  constructor(options: Omit<LayerNormLayerOptions, 'bias'>) {
    super();
    const shape = shapeOf('RMSNorm', options);
    this.weight = this.registerParameter('weight', ones(shape, { requiresGrad: true }), UNDECAYED);
    this.#epsilon = options.epsilon ?? 1e-5;
  }

  /** `[..., normalizedShape]` → the same shape */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, { axis: -this.weight.rank, epsilon: this.#epsilon });
  }
}
