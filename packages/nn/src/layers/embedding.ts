import { embedding, type Generator, type Tensor } from '@firelight/tensor';
import { expectInteger, readOptions } from '@firelight/tensor/extend';
import { type InitializerOption, initialize, normal } from '../initializers/index.ts';
import { Module } from '../module/module.ts';

/** Sizes and first weights of an `Embedding`. */
export interface EmbeddingOptions {
  /** Rows of the table: what numbers there can be. */
  readonly numEmbeddings: number;
  /** Length of each row. */
  readonly embeddingDim: number;
  /** A row that is not trained; none by default. */
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
    this.weight = this.registerParameter('weight', initialize(weightInit, shape, generator));
    this.#paddingIndex = paddingIndex;
  }

  /** `[...]` of integers → `[..., embeddingDim]` */
  forward(indices: Tensor): Tensor {
    const paddingIndex = this.#paddingIndex;
    return embedding(indices, this.weight, paddingIndex === undefined ? {} : { paddingIndex });
  }
}
