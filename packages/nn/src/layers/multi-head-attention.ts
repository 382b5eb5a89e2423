import {
  addmm,
  defaultGenerator,
  type Generator,
  matmul,
  permute,
  reshape,
  ShapeError,
  scaledDotProductAttention,
  slice,
  type Tensor,
  type TensorLike,
} from '@firelight/tensor';
import {
  asTensor,
  expectBoolean,
  expectInteger,
  expectThat,
  formatShape,
  readOptions,
} from '@firelight/tensor/extend';
import { expectBelowOne } from '../core/checks.ts';
import { heUniform, initialize, xavierUniform, zeros } from '../initializers/index.ts';
import { Module } from '../module/module.ts';
import { Linear } from './linear.ts';

/** Sizes of a `MultiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Features of inputs and outputs; a multiple of `numHeads`. */
  readonly embedDim: number;
  readonly numHeads: number;
  /** Whether projections have a bias; true by default. */
  readonly bias?: boolean;
  /** Probability of dropping a weight of the attention while training; 0 by default. */
  readonly dropout?: number;
  /** Source of the first weights and of dropout. */
  readonly generator?: Generator | undefined;
}

/** What is attended to, and by which mask. */
export interface MultiHeadAttentionCall {
  /** `[N, S, embedDim]`; the queries by default (self-attention). */
  readonly key?: Tensor;
  /** `[N, S, embedDim]`; the keys by default. */
  readonly value?: Tensor;
  /** Bool (true: attend) or floats to add; broadcasts to `[N, numHeads, L, S]`. */
  readonly mask?: TensorLike;
  /** Whether query i attends to keys up to i alone; false by default. */
  readonly isCausal?: boolean;
}

/** What the three projections take. */
const OPERANDS = ['query', 'key', 'value'];

/**
 * Attention of several heads side by side, with PyTorch's parameters: `in_proj_weight`
 * `[3 · embedDim, embedDim]` and `in_proj_bias` (of queries, keys and values, in this order), and the layer
 * `out_proj`. Inputs are `[N, L, embedDim]` (PyTorch's `batch_first`); a bool mask is true where is
 * attended to, the other way round than PyTorch's. First weights are drawn as there: xavier_uniform, those
 * of `out_proj` U(−1/√embedDim, 1/√embedDim), biases 0.
 *
 * @see Vaswani et al., arXiv:1706.03762; torch.nn.MultiheadAttention
 */
export class MultiHeadAttention extends Module {
  readonly inProjWeight: Tensor;
  readonly inProjBias: Tensor | null;
  readonly outProj: Linear;
  readonly #numHeads: number;
  readonly #embedDim: number;
  readonly #dropout: number;
  readonly #generator: Generator;

  /**
   * @throws ValueError unless both sizes are integers ≥ 1, the heads divide the features, and dropout is
   *   in [0, 1)
   */
  constructor(options: MultiHeadAttentionOptions) {
    super();
    const {
      embedDim,
      numHeads,
      bias = true,
      dropout = 0,
      generator,
    } = readOptions('MultiHeadAttention', options, [
      'embedDim',
      'numHeads',
      'bias',
      'dropout',
      'generator',
    ]);
    expectInteger('MultiHeadAttention', 'numHeads', numHeads, 1);
    const isRight = Number.isInteger(embedDim) && embedDim >= 1 && embedDim % numHeads === 0;
    const rule = `an integer ≥ 1 that numHeads (=${numHeads}) divides`;
    expectThat(isRight, 'MultiHeadAttention', 'embedDim', rule, embedDim);
    expectBoolean('MultiHeadAttention', 'bias', bias);
    const shape = [3 * embedDim, embedDim];
    this.inProjWeight = this.registerParameter(
      'in_proj_weight',
      initialize(xavierUniform(), shape, generator),
    );
    this.inProjBias = bias
      ? this.registerParameter('in_proj_bias', initialize(zeros(), [3 * embedDim], generator))
      : null;
    const sizes = { inFeatures: embedDim, outFeatures: embedDim, bias, generator };
    const weightInit = heUniform({ negativeSlope: Math.sqrt(5) });
    this.outProj = this.registerModule('out_proj', new Linear({ ...sizes, weightInit }));
    expectBelowOne('MultiHeadAttention', 'dropout', dropout);
    this.#dropout = dropout;
    this.#generator = this.registerGenerator(generator ?? defaultGenerator);
    this.#numHeads = numHeads;
    this.#embedDim = embedDim;
  }

  /** One of the three projections, cut into heads: `[N, L, embedDim]` → `[N, heads, L, features]`. */
  #project(operand: Tensor, part: number): Tensor {
    const x = asTensor('MultiHeadAttention', OPERANDS[part], operand);
    const [D, heads] = [this.#embedDim, this.#numHeads];
    if (x.rank !== 3 || x.shape[2] !== D) {
      throw new ShapeError(
        `MultiHeadAttention: ${OPERANDS[part]} must be [N, L, ${D}], got ${formatShape(x.shape)}`,
      );
    }
    const [N, L] = x.shape;
    const rows: [number, number] = [part * D, (part + 1) * D];
    const weight = slice(this.inProjWeight, [rows]);
    const y =
      this.inProjBias === null
        ? matmul(x, weight, { transposeB: true })
        : addmm(slice(this.inProjBias, [rows]), x, weight, { transposeB: true });
    return permute(reshape(y, [N, L, heads, D / heads]), [0, 2, 1, 3]);
  }

  /**
   * `[N, L, embedDim]` → `[N, L, embedDim]`
   *
   * @param options keys and values of another sequence, and masks
   * @throws ShapeError for inputs of other shapes
   */
  forward(query: Tensor, options: MultiHeadAttentionCall = {}): Tensor {
    const {
      key = query,
      value = key,
      ...masks
    } = readOptions('MultiHeadAttention', options, ['key', 'value', 'mask', 'isCausal']);
    const heads = [query, key, value].map((x, part) => this.#project(x, part));
    const y = scaledDotProductAttention(heads[0], heads[1], heads[2], {
      ...masks,
      dropout: this.training ? this.#dropout : 0,
      generator: this.#generator,
    });
    const [N, , L] = y.shape;
    return this.outProj.forward(reshape(permute(y, [0, 2, 1, 3]), [N, L, this.#embedDim]));
  }
}
