import { mean, ShapeError, sum, type Tensor } from '@firelight/tensor';
import { expectThat, formatShape, sameShape } from '@firelight/tensor/extend';

/** What becomes of the losses of the elements (or samples). */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options of the losses between a prediction and a target of its shape. */
export interface LossOptions {
  /** Default `'mean'`. */
  readonly reduction?: Reduction;
}

/** @throws ValueError for an unknown reduction */
export function checkReduction(loss: string, reduction: Reduction): void {
  const isKnown = ['none', 'mean', 'sum'].includes(reduction);
  expectThat(isKnown, loss, 'reduction', "'none', 'mean' or 'sum'", reduction);
}

export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'mean') return mean(losses);
  return reduction === 'sum' ? sum(losses) : losses;
}

/** @throws ShapeError unless the shapes are equal, since broadcasting here is always a mistake */
export function checkSameShape(loss: string, prediction: Tensor, target: Tensor): void {
  if (!sameShape(prediction.shape, target.shape)) {
    const shapes = [prediction, target].map(({ shape }) => formatShape(shape));
    throw new ShapeError(
      `${loss}: prediction and target need one shape, got ${shapes[0]} and ${shapes[1]}`,
    );
  }
}
