import {
  BatchNorm2d,
  type Callback,
  Conv2d,
  Dropout,
  encodeCheckpoint,
  Flatten,
  Linear,
  Model,
  type Module,
  Momentum,
  ReLU,
  Sequential,
  type Snapshot,
  SoftmaxCrossEntropyWithLogits,
  type TrainingContext,
} from '@firelight/nn';
import { Generator, type Tensor, tensor } from '@firelight/tensor';

export const CLASSES = 3;
const BATCHES = 4;

/** Images of 1 × 4 × 4 whose brightness tells their class, in a new order each epoch. */
export class Blobs {
  readonly generator = new Generator(5);
  readonly batchesPerEpoch = BATCHES;

  *[Symbol.iterator](): Generator_<{ image: Tensor; label: Tensor }> {
    const [own] = this.generator.split(1);
    for (let batch = 0; batch < BATCHES; batch++) {
      const labels = Int32Array.from(own.words(6), (word) => word % CLASSES);
      const noise = own.normal(6 * 16, { std: 0.3 });
      const pixels = Float32Array.from(noise, (value, i) => value + labels[i >> 4] - 1);
      yield { image: tensor(pixels, { shape: [6, 1, 4, 4] }), label: tensor(labels) };
    }
  }
}
type Generator_<T> = globalThis.Generator<T, void, undefined>;

export function createNetwork(seed = 0): Sequential {
  const generator = new Generator(seed);
  return new Sequential([
    new Conv2d({ inChannels: 1, outChannels: 4, kernelSize: 3, generator }),
    new BatchNorm2d({ numFeatures: 4 }),
    new ReLU(),
    new Dropout({ p: 0.25, generator }),
    new Flatten(),
    new Linear({ inFeatures: 16, outFeatures: CLASSES, generator }),
  ]);
}

export interface Extras {
  clipNorm?: number;
  accumulationSteps?: number;
  averageDecay?: number;
}

export function createModel(network: Module, extras: Extras = {}, learningRate = 0.05): Model {
  return new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new Momentum(network.parameters(), { learningRate, momentum: 0.9 }),
    metrics: ['accuracy', 'loss'],
    ...extras,
  });
}

export const bits = (network: Module): number[][] =>
  Object.values(network.stateDict()).map(({ array }) => Array.from(array.data));

/** Keeps a snapshot after each step, and one after each epoch. */
export class Keeper implements Callback {
  readonly runsLast = true;
  readonly snapshots: Promise<Uint8Array>[] = [];
  readonly #keep = ({ tensors, metadata }: Snapshot): void => {
    this.snapshots.push(encodeCheckpoint({ tensors, metadata }));
  };
  onStepEnd(context: TrainingContext): void {
    this.#keep(context.snapshot());
  }
  onEpochEnd(context: TrainingContext): void {
    this.#keep(context.snapshot());
  }
}
