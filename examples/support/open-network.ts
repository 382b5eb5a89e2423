import { CIFAR10_CLASSES } from '@firelight/data';
import {
  type Checkpoint,
  CheckpointError,
  loadParamIntoNet,
  type Module,
  type SqueezeNet,
} from '@firelight/nn';
import { identifyNetwork, loadInto, openCheckpoint } from '@firelight/nn/formats';
import { Generator, noGrad, ShapeError, type Tensor, zeros } from '@firelight/tensor';
import { printablePath } from '@firelight/tensor/extend';
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

/** The network of a checkpoint of `train-cifar.ts`, with its weights. */
export interface OpenedRun {
  readonly network: SqueezeNet;
  readonly imageSize: number;
  readonly classNames: readonly string[];
  /** All that the checkpoint says of itself. */
  readonly metadata: Checkpoint['metadata'];
}

/** Opens a checkpoint of `train-cifar.ts`. */
export async function openNetwork(file: string): Promise<OpenedRun> {
  return networkOfRun(await openCheckpoint(file));
}

/** The network of a checkpoint whose metadata has the configuration of `train-cifar.ts`. */
export function networkOfRun(checkpoint: Checkpoint): OpenedRun {
  const { options, classNames } = configOf(checkpoint);
  const network = createNetwork(options, new Generator(0));
  loadParamIntoNet(network, checkpoint);
  return {
    network: network.eval(),
    imageSize: options['image-size'],
    classNames,
    metadata: checkpoint.metadata,
  };
}

/** A network for CIFAR-10, and what its images and classes are. */
export interface CifarNetwork {
  readonly network: Module;
  readonly imageSize: number;
  readonly classNames: readonly string[];
  /** What is to be known of how it was found, a sentence each. */
  readonly notes: readonly string[];
}

/** Height and width of the images of CIFAR-10. */
const CIFAR10_SIZE = 32;

/**
 * The network of a checkpoint of `train-cifar.ts`, or of another program: that which the names of its
 * weights tell, if it knows the ten classes of CIFAR-10.
 *
 * @throws CheckpointError if the names tell none, or one of another count of classes
 */
export function cifarNetworkOf(checkpoint: Checkpoint): CifarNetwork {
  if (checkpoint.metadata.config !== undefined) return { ...networkOfRun(checkpoint), notes: [] };
  const shown = printablePath(checkpoint.file);
  const found = identifyNetwork(checkpoint);
  if (found === null) {
    throw new CheckpointError(
      `${shown}: neither a configuration nor its names tell which network it is of; pass a checkpoint of ` +
        'npm run train, or of a network that is known here',
    );
  }
  if (found.origin.preprocessing !== null) {
    throw new CheckpointError(
      `${shown}: is of ${found.label} for ImageNet's thousand classes; use examples/classify.ts`,
    );
  }
  const network = found.create().eval();
  const { notes } = loadInto(network, checkpoint);
  const count = outputsFor(network, zeros([1, 3, CIFAR10_SIZE, CIFAR10_SIZE]));
  if (count === null) {
    throw new CheckpointError(
      `${shown}: is of ${found.label} for other images than CIFAR-10's, of three channels and ` +
        `${CIFAR10_SIZE} × ${CIFAR10_SIZE} pixels; pass weights for CIFAR-10`,
    );
  }
  if (count !== CIFAR10_CLASSES.length) {
    throw new CheckpointError(
      `${shown}: is of ${found.label} for ${count} classes, not for the ${CIFAR10_CLASSES.length} of CIFAR-10; ` +
        'pass weights for CIFAR-10',
    );
  }
  return {
    network,
    imageSize: CIFAR10_SIZE,
    classNames: CIFAR10_CLASSES,
    notes: [...(checkpoint.notes ?? []), ...notes],
  };
}

/** How many outputs a network has for an input, or null if it takes none of this shape. */
function outputsFor(network: Module, input: Tensor): number | null {
  try {
    return noGrad(() => network.forward(input)).shape[1];
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}
