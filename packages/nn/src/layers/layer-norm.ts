import {
  layerNorm,
  ones,
  rmsNorm,
  type Shape,
  ShapeError,
  type Tensor,
  zeros,
} from '@firelight/tensor';
import {
  asTensor,
  expectBoolean,
  expectShape,
  expectThat,
  formatShape,
  readOptions,
  sameShape,
} from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';
import { Module } from '../module/module.ts';

/** Size of a `LayerNorm` or `RMSNorm`. */
export interface LayerNormLayerOptions {
  /** Lengths of the last axes, which are normalized together; a number for the last axis alone. */
  readonly normalizedShape: number | Shape;
  /** Added to the variance, or the mean square; 1e-5 by default. */
  readonly epsilon?: number;
  /** Whether there is a bias beside the weight; true by default. */
  readonly bias?: boolean;
  /** Whether there are parameters at all; true by default (PyTorch's `elementwise_affine`). */
  readonly affine?: boolean;
}

/** The options of either layer, checked, with the lengths of the axes as a list. */
function readNorm(
  layer: string,
  options: LayerNormLayerOptions,
  known: readonly (keyof LayerNormLayerOptions)[],
): { shape: Shape; epsilon: number; bias: boolean; affine: boolean } {
  const {
    normalizedShape,
    epsilon = 1e-5,
    bias = true,
    affine = true,
  } = readOptions(layer, options, known);
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  const isList = Array.isArray(shape) && shape.length > 0;
  const rule = 'a length, or a list of at least one';
  expectThat(isList, layer, 'normalizedShape', rule, normalizedShape);
  expectShape(layer, shape);
  expectNotNegative(layer, 'epsilon', epsilon);
  expectBoolean(layer, 'bias', bias);
  expectBoolean(layer, 'affine', affine);
  return { shape: [...shape], epsilon, bias, affine };
}

/** @throws ShapeError unless the last axes are those that are normalized */
function expectLastAxes(layer: string, x: Tensor, wanted: Shape): void {
  const { shape } = asTensor(layer, 'x', x);
  if (sameShape(shape.slice(-wanted.length), wanted)) return;
  throw new ShapeError(
    `${layer}: needs [..., ${wanted.join(', ')}], as normalizedShape says, got ${formatShape(shape)}`,
  );
}

const UNDECAYED = { decay: false };

/**
 * Normalizes each sample over its last axes, with parameters `weight` and `bias` of their shape unless
 * `affine` is false; see `layerNorm`. Weight decay leaves them alone by default.
 */
export class LayerNorm extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly #shape: Shape;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: lengths are integers ≥ 0, and `epsilon` is a number ≥ 0 */
  constructor(options: LayerNormLayerOptions) {
    super();
    const known = ['normalizedShape', 'epsilon', 'bias', 'affine'] as const;
    const { shape, epsilon, bias, affine } = readNorm('LayerNorm', options, known);
    const [hasBias, grad] = [affine && bias, { requiresGrad: true }];
    this.weight = affine ? this.registerParameter('weight', ones(shape, grad), UNDECAYED) : null;
    this.bias = hasBias ? this.registerParameter('bias', zeros(shape, grad), UNDECAYED) : null;
    this.#shape = shape;
    this.#epsilon = epsilon;
  }

  /**
   * `[..., normalizedShape]` → the same shape
   *
   * @throws ShapeError if the last axes are others
   */
  forward(x: Tensor): Tensor {
    expectLastAxes('LayerNorm', x, this.#shape);
    const options = { axis: -this.#shape.length, epsilon: this.#epsilon };
    return layerNorm(x, this.weight, this.bias, options);
  }
}

/**
 * Scales each sample to a mean square of 1 over its last axes, with the parameter `weight` of their shape
 * unless `affine` is false; see `rmsNorm`. Weight decay leaves it alone by default.
 */
export class RMSNorm extends Module {
  readonly weight: Tensor | null;
  readonly #shape: Shape;
  readonly #epsilon: number;

  /** @throws ValueError for a wrong option: lengths are integers ≥ 0, and `epsilon` is a number ≥ 0 */
  constructor(options: Omit<LayerNormLayerOptions, 'bias'>) {
    super();
    const known = ['normalizedShape', 'epsilon', 'affine'] as const;
    const { shape, epsilon, affine } = readNorm('RMSNorm', options, known);
    const weight = ones(shape, { requiresGrad: true });
    this.weight = affine ? this.registerParameter('weight', weight, UNDECAYED) : null;
    this.#shape = shape;
    this.#epsilon = epsilon;
  }

  /**
   * `[..., normalizedShape]` → the same shape
   *
   * @throws ShapeError if the last axes are others
   */
  forward(x: Tensor): Tensor {
    expectLastAxes('RMSNorm', x, this.#shape);
    return rmsNorm(x, this.weight, { axis: -this.#shape.length, epsilon: this.#epsilon });
  }
}
