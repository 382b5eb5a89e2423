import { add, type Generator, gelu, relu, type Tensor } from '@firelight/tensor';
import {
  asTensor,
  expectBoolean,
  expectInteger,
  expectThat,
  readOptions,
} from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { Module } from '../module/module.ts';
import { Dropout } from './dropout.ts';
import { LayerNorm } from './layer-norm.ts';
import { Linear } from './linear.ts';
import { MultiHeadAttention, type MultiHeadAttentionCall } from './multi-head-attention.ts';

const ACTIVATIONS = { relu, gelu } as const;

/** Sizes of a `TransformerEncoderLayer`, and in which order it computes. */
export interface TransformerEncoderLayerOptions {
  /** Features of inputs and outputs; a multiple of `numHeads`. */
  readonly embedDim: number;
  readonly numHeads: number;
  /** Features between the two linear layers; 2048 by default. */
  readonly feedForwardDim?: number;
  /**
   * Probability of dropping an element: of attention's weights, after each part and between the linear
   * layers; 0.1 by default.
   */
  readonly dropout?: number;
  /** Between the linear layers; `'relu'` by default. */
  readonly activation?: keyof typeof ACTIVATIONS;
  /** Whether parts normalize their input, not the sum with their output; false by default. */
  readonly normFirst?: boolean;
  /** Added to variances; 1e-5 by default. */
  readonly epsilon?: number;
  readonly generator?: Generator | undefined;
}

/**
 * Self-attention, then two linear layers, each added to its input: x = norm1(x + attention(x)),
 * y = norm2(x + linear2(activation(linear1(x)))); with `normFirst`, x = x + attention(norm1(x)) and so on.
 * Parameters are PyTorch's (`self_attn`, `linear1`, `linear2`, `norm1`, `norm2`).
 *
 * @see Vaswani et al., arXiv:1706.03762; torch.nn.TransformerEncoderLayer with `batch_first`
 */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiHeadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly #dropout: Dropout;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #normFirst: boolean;

  /** @throws ValueError for sizes that are no integers ≥ 1, or an activation or dropout that cannot be */
  constructor(options: TransformerEncoderLayerOptions) {
    super();
    readOptions('TransformerEncoderLayer', options, [
      'embedDim',
      'numHeads',
      'feedForwardDim',
      'dropout',
      'activation',
      'normFirst',
      'epsilon',
      'generator',
    ]);
    const { embedDim, numHeads, feedForwardDim = 2048, dropout = 0.1, generator } = options;
    const { activation = 'relu', normFirst = false, epsilon = 1e-5 } = options;
    const rule = Object.keys(ACTIVATIONS).join(' or ');
    const isKnown = Object.keys(ACTIVATIONS).includes(activation);
    expectThat(isKnown, 'TransformerEncoderLayer', 'activation', rule, activation);
    expectInteger('TransformerEncoderLayer', 'feedForwardDim', feedForwardDim, 1);
    expectBelowOne('TransformerEncoderLayer', 'dropout', dropout);
    expectBoolean('TransformerEncoderLayer', 'normFirst', normFirst);
    const attention = new MultiHeadAttention({ embedDim, numHeads, dropout, generator });
    const linear = (inFeatures: number, outFeatures: number): Linear =>
      new Linear({ inFeatures, outFeatures, generator });
    const norm = (): LayerNorm => new LayerNorm({ normalizedShape: embedDim, epsilon });
    this.selfAttn = this.registerModule('self_attn', attention);
    this.linear1 = this.registerModule('linear1', linear(embedDim, feedForwardDim));
    this.linear2 = this.registerModule('linear2', linear(feedForwardDim, embedDim));
    this.norm1 = this.registerModule('norm1', norm());
    this.norm2 = this.registerModule('norm2', norm());
    this.#dropout = this.registerModule('dropout', new Dropout({ p: dropout, generator }));
    this.#activation = (x) => ACTIVATIONS[activation](x);
    this.#normFirst = normFirst;
  }

  #residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    const run = (input: Tensor): Tensor => this.#dropout.forward(part(input));
    return this.#normFirst ? add(x, run(norm.forward(x))) : norm.forward(add(x, run(x)));
  }

  /**
   * `[N, L, embedDim]` → `[N, L, embedDim]`
   *
   * @param options masks, as of `MultiHeadAttention`
   * @throws ShapeError for inputs of other shapes
   */
  forward(x: Tensor, options: Pick<MultiHeadAttentionCall, 'mask' | 'isCausal'> = {}): Tensor {
    const tokens = asTensor('TransformerEncoderLayer', 'x', x);
    const attended = this.#residual(tokens, this.norm1, (input) =>
      this.selfAttn.forward(input, options),
    );
    return this.#residual(attended, this.norm2, (input) => {
      const hidden = this.#activation(this.linear1.forward(input));
      return this.linear2.forward(this.#dropout.forward(hidden));
    });
  }
}
