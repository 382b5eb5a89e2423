import { type Checkpoint, CheckpointError, loadParamIntoNet, type SqueezeNet } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { Generator } from '@firelight/tensor';
import { createNetwork } from './create-network.ts';
import { parseRunConfig, type RunConfig } from './run-config.ts';

/**
 * The configuration that `train-cifar.ts` keeps in its checkpoints.
 *
 * @throws CheckpointError if it is not there, or damaged
 */
export function configOf({ file, metadata }: Checkpoint): RunConfig {
  if (metadata.config === undefined) {
    throw new CheckpointError(
      `${file}: does not say which network it is of; pass a checkpoint that npm run train saved`,
    );
  }
  return parseRunConfig(metadata.config, `${file}: its configuration`);
}

/**
 * The network of a checkpoint with its weights, the size of its images, its classes' names, and all that the
 * checkpoint says of itself.
 */
export async function openNetwork(file: string): Promise<{
  network: SqueezeNet;
  imageSize: number;
  classNames: readonly string[];
  metadata: Checkpoint['metadata'];
}> {
  const checkpoint = await openCheckpoint(file);
  const { metadata } = checkpoint;
  const { options, classNames } = configOf(checkpoint);
  const network = createNetwork(options, new Generator(0));
  loadParamIntoNet(network, checkpoint);
  return { network: network.eval(), imageSize: options['image-size'], classNames, metadata };
}
