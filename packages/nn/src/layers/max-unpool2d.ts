import { type MaxUnpool2dOptions, maxUnpool2d, type Tensor, ValueError } from '@firelight/tensor';
import { readMaxUnpool2d } from '@firelight/tensor/extend';
import { Module } from '../module/module.ts';

/**
 * Puts what a max-pooling found back to where it was, into zeros; see `maxUnpool2d`. Options are those
 * of the pooling, `maxPool2dWithIndices`.
 *
 * @see torch.nn.MaxUnpool2d
 */
export class MaxUnpool2d extends Module {
  readonly #options: MaxUnpool2dOptions;

  /** @throws ValueError for a wrong option; see `maxUnpool2d` */
  constructor(options: MaxUnpool2dOptions) {
    super();
    this.#options = readMaxUnpool2d('MaxUnpool2d', options);
  }

  /**
   * `[N, C, H, W]` → `[N, C, H', W']`
   *
   * @param indices `[N, C, H, W]`, as the pooling gave them
   * @param options `outputSize`: another `[H', W']` than the layer's own
   * @throws ValueError without indices
   */
  forward(
    x: Tensor,
    indices?: Tensor,
    options: Pick<MaxUnpool2dOptions, 'outputSize'> = {},
  ): Tensor {
    if (indices === undefined) {
      throw new ValueError(
        'MaxUnpool2d: needs the indices of the pooling, as maxPool2dWithIndices gives them',
      );
    }
    return maxUnpool2d(x, indices, { ...this.#options, ...options });
  }
}
