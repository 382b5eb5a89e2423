import { assign, embedding, type Generator, type Tensor, tensor } from '@firelight/tensor';
import { expectInteger, expectThat, readOptions } from '@firelight/tensor/extend';
import { type InitializerOption, initialize, normal } from '../initializers/index.ts';
import { Module } from '../module/module.ts';

/** Sizes and first weights of an `Embedding`. */
export interface EmbeddingOptions {
  /** Rows of the table: what numbers there can be. */
  readonly numEmbeddings: number;
  /** Length of each row. */
  readonly embeddingDim: number;
  /**
   * A row that is not trained and starts as 0, whatever `weightInit` says; negative ones count from the
   * end; none by default.
   */
  readonly paddingIndex?: number;
  /** N(0, 1) by default, as PyTorch. */
  readonly weightInit?: InitializerOption;
  readonly generator?: Generator | undefined;
}

/** Looks rows of the parameter `weight` `[numEmbeddings, embeddingDim]` up by number; see `embedding`. */
export class Embedding extends Module {
  readonly weight: Tensor;
  readonly #paddingIndex: number | undefined;

  /** @throws ValueError for a wrong option: both sizes are integers ≥ 1 */
  constructor(options: EmbeddingOptions) {
    super();
    const { numEmbeddings, embeddingDim, paddingIndex, generator } = readOptions(
      'Embedding',
      options,
      ['numEmbeddings', 'embeddingDim', 'paddingIndex', 'weightInit', 'generator'],
    );
    expectInteger('Embedding', 'numEmbeddings', numEmbeddings, 1);
    expectInteger('Embedding', 'embeddingDim', embeddingDim, 1);
    const { weightInit = normal({ sigma: 1 }) } = options;
    const shape = [numEmbeddings, embeddingDim];
    const weight = initialize(weightInit, shape, generator);
    if (paddingIndex !== undefined) clearRow(weight, paddingIndex);
    this.weight = this.registerParameter('weight', weight);
    this.#paddingIndex = paddingIndex;
  }

  /** `[...]` of integers → `[..., embeddingDim]` */
  forward(indices: Tensor): Tensor {
    const paddingIndex = this.#paddingIndex;
    return embedding(indices, this.weight, paddingIndex === undefined ? {} : { paddingIndex });
  }
}

/** @throws ValueError unless the row is one of the table's */
function clearRow(weight: Tensor, paddingIndex: number): void {
  const [rows, length] = weight.shape;
  const isRow = Number.isInteger(paddingIndex) && paddingIndex >= -rows && paddingIndex < rows;
  const rule = `an integer in [${-rows}, ${rows})`;
  expectThat(isRow, 'Embedding', 'paddingIndex', rule, paddingIndex);
  const start = (paddingIndex < 0 ? paddingIndex + rows : paddingIndex) * length;
  const values = Float32Array.from(weight.data).fill(0, start, start + length);
  assign(weight, tensor(values, { shape: weight.shape, copy: false }));
}
