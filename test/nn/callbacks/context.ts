import {
  type Callback,
  Linear,
  type MetricValue,
  Momentum,
  type TrainingContext,
} from '@firelight/nn';
import { Generator } from '@firelight/tensor';

const network = new Linear({ inFeatures: 1, outFeatures: 1, generator: new Generator(0) });
const optimizer = new Momentum(network.parameters(), { learningRate: 0.25, momentum: 0 });

/** A moment of a training that never was. */
export function contextAt(values: Partial<TrainingContext>): TrainingContext {
  return {
    network,
    optimizer,
    epoch: 1,
    epochs: 1,
    step: 0,
    stepsPerEpoch: null,
    globalStep: 0,
    loss: 1,
    batchSize: 4,
    learningRate: 0.25,
    metrics: null,
    requestStop: () => {},
    snapshot: () => ({ tensors: {}, metadata: {} }),
    ...values,
  };
}

/** Calls a callback as a training would, with the loss 1 / globalStep. */
export async function drive(
  callback: Callback,
  {
    epochs,
    steps,
    stepsPerEpoch = steps,
    metrics = null,
    from = 0,
  }: {
    epochs: number;
    steps: number;
    stepsPerEpoch?: number | null;
    metrics?: Record<string, MetricValue> | null;
    /** Steps that a resumed training has behind it. */
    from?: number;
  },
): Promise<void> {
  const at = (globalStep: number, step: number, epoch: number) =>
    contextAt({ epoch, epochs, step, stepsPerEpoch, globalStep, loss: 1 / globalStep, metrics });
  const firstEpoch = Math.floor(from / steps) + 1;
  await callback.onTrainBegin?.(at(from, from % steps, firstEpoch));
  for (let epoch = firstEpoch; epoch <= epochs; epoch++) {
    const first = epoch === firstEpoch ? from % steps : 0;
    await callback.onEpochBegin?.(at((epoch - 1) * steps + first, first, epoch));
    for (let step = first + 1; step <= steps; step++) {
      await callback.onStepEnd?.(at((epoch - 1) * steps + step, step, epoch));
    }
    await callback.onEpochEnd?.(at(epoch * steps, steps, epoch));
  }
  await callback.onTrainEnd?.(at(epochs * steps, steps, epochs));
}
