import {
  decodeCheckpoint,
  Model,
  type Module,
  type Optimizer,
  SoftmaxCrossEntropyWithLogits,
} from '@firelight/nn';
import { expect } from 'vitest';
import { Blobs, bits, createNetwork, Keeper } from './blobs.ts';

type MakeOptimizer = (network: Module) => Optimizer;

/** Trains `createNetwork` for two epochs, or goes on from a checkpoint. */
async function train(seed: number, make: MakeOptimizer, keeper: Keeper, file?: Uint8Array) {
  const network = createNetwork(seed);
  const model = new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: make(network),
  });
  const resumeFrom = file && { resumeFrom: await decodeCheckpoint(file, 'memory') };
  const result = await model.train(2, new Blobs(), { callbacks: [keeper], ...resumeFrom });
  return { ...result, weights: bits(network) };
}

/** Snapshots of a training after each step. */
export async function snapshotsOf(make: MakeOptimizer): Promise<Uint8Array[]> {
  const keeper = new Keeper();
  await train(0, make, keeper);
  return Promise.all(keeper.snapshots);
}

/**
 * Checks that a training that is resumed after any of its steps has the bits of one that went on.
 *
 * @param other makes the optimizer of the training that is resumed, if that is made otherwise
 */
export async function expectExactResume(make: MakeOptimizer, other = make): Promise<void> {
  const keeper = new Keeper();
  const whole = await train(0, make, keeper);
  const files = await Promise.all(keeper.snapshots);
  for (const file of files.slice(0, -1)) {
    expect(await train(7, other, new Keeper(), file)).toEqual(whole);
  }
}

/** Resumes from a file with a network of other weights. */
export async function resume(file: Uint8Array, make: MakeOptimizer): Promise<void> {
  await train(7, make, new Keeper(), file);
}
