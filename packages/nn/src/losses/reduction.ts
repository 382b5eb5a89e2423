import { formatShape, mean, ShapeError, sum, type Tensor, ValueError } from '@firelight/tensor';

/** What becomes of the losses of the elements (or samples). */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options of the losses between a prediction and a target of its shape. */
export interface LossOptions {
  /** Default `'mean'`. */
  readonly reduction?: Reduction;
}

/** @throws ValueError for an unknown reduction */
export function checkReduction(loss: string, reduction: Reduction): void {
  if (!['none', 'mean', 'sum'].includes(reduction)) {
    throw new ValueError(`${loss}: reduction must be 'none', 'mean' or 'sum', got '${reduction}'`);
  }
}

export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'mean') return mean(losses);
  return reduction === 'sum' ? sum(losses) : losses;
}

/** @throws ShapeError unless the shapes are equal, since broadcasting here is always a mistake */
export function checkSameShape(loss: string, prediction: Tensor, target: Tensor): void {
  const shapes = [prediction, target].map(({ shape }) => formatShape(shape));
  if (shapes[0] !== shapes[1]) {
    throw new ShapeError(
      `${loss}: prediction and target need one shape, got ${shapes[0]} and ${shapes[1]}`,
    );
  }
}
