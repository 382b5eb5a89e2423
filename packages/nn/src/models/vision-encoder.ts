import { add, type Generator, type Tensor } from '@firelight/tensor';
import { initialize, normal } from '../initializers/index.ts';
import { GELU } from '../layers/activations.ts';
import { Dropout } from '../layers/dropout.ts';
import { LayerNorm } from '../layers/layer-norm.ts';
import { Linear } from '../layers/linear.ts';
import { MultiHeadAttention } from '../layers/multi-head-attention.ts';
import { Sequential } from '../layers/sequential.ts';
import { Module } from '../module/module.ts';
import { tidyWithoutGrad } from './network-input.ts';

/** Sizes of an `EncoderBlock`. */
interface EncoderBlockOptions {
  readonly numHeads: number;
  readonly hiddenDim: number;
  readonly mlpDim: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly generator?: Generator | undefined;
}

/** Sizes of a `VisionEncoder`. */
interface VisionEncoderOptions extends EncoderBlockOptions {
  /** Tokens, with that of the class. */
  readonly length: number;
  readonly numLayers: number;
}

const norm = (hiddenDim: number): LayerNorm =>
  new LayerNorm({ normalizedShape: hiddenDim, epsilon: 1e-6 });

/** x + attention(norm(x)), and then x + mlp(norm(x)). */
class EncoderBlock extends Module {
  readonly #ln1: LayerNorm;
  readonly #attention: MultiHeadAttention;
  readonly #dropout: Dropout;
  readonly #ln2: LayerNorm;
  readonly #mlp: Sequential;

  constructor(options: EncoderBlockOptions) {
    super();
    const { numHeads, hiddenDim, mlpDim, dropout, attentionDropout, generator } = options;
    const linear = (inFeatures: number, outFeatures: number): Linear =>
      new Linear({
        inFeatures,
        outFeatures,
        weightInit: 'xavier_uniform',
        biasInit: normal({ sigma: 1e-6 }),
        generator,
      });
    const drop = (): Dropout => new Dropout({ p: dropout, generator });
    this.#ln1 = this.registerModule('ln_1', norm(hiddenDim));
    this.#attention = this.registerModule(
      'self_attention',
      new MultiHeadAttention({
        embedDim: hiddenDim,
        numHeads,
        dropout: attentionDropout,
        generator,
      }),
    );
    this.#dropout = this.registerModule('dropout', drop());
    this.#ln2 = this.registerModule('ln_2', norm(hiddenDim));
    this.#mlp = this.registerModule(
      'mlp',
      new Sequential([
        linear(hiddenDim, mlpDim),
        new GELU(),
        drop(),
        linear(mlpDim, hiddenDim),
        drop(),
      ]),
    );
  }

  /** `[N, L, hiddenDim]` → `[N, L, hiddenDim]` */
  forward(x: Tensor): Tensor {
    return tidyWithoutGrad(() => {
      const attended = this.#attention.forward(this.#ln1.forward(x));
      const y = add(x, this.#dropout.forward(attended));
      return add(y, this.#mlp.forward(this.#ln2.forward(y)));
    });
  }
}

/** Adds learnt positions to tokens, and lets them attend to each other in one block after another. */
export class VisionEncoder extends Module {
  readonly #positions: Tensor;
  readonly #dropout: Dropout;
  readonly #layers: Sequential;
  readonly #ln: LayerNorm;

  constructor({ length, numLayers, ...options }: VisionEncoderOptions) {
    super();
    const { hiddenDim, dropout, generator } = options;
    this.#positions = this.registerParameter(
      'pos_embedding',
      initialize(normal({ sigma: 0.02 }), [1, length, hiddenDim], generator),
      { decay: false },
    );
    this.#dropout = this.registerModule('dropout', new Dropout({ p: dropout, generator }));
    const blocks = Array.from(
      { length: numLayers },
      (_, i) => [`encoder_layer_${i}`, new EncoderBlock(options)] as const,
    );
    this.#layers = this.registerModule('layers', new Sequential(blocks));
    this.#ln = this.registerModule('ln', norm(hiddenDim));
  }

  /** `[N, length, hiddenDim]` → `[N, length, hiddenDim]` */
  forward(x: Tensor): Tensor {
    const placed = this.#dropout.forward(add(x, this.#positions));
    return this.#ln.forward(this.#layers.forward(placed));
  }
}
