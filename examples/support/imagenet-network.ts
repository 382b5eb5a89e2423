import type { Checkpoint, Module } from '@firelight/nn';
import { identifyNetwork, loadInto, type Preprocessing } from '@firelight/nn/formats';
import { ValueError } from '@firelight/tensor';
import { printablePath } from '@firelight/tensor/extend';

/** A network for ImageNet's thousand classes, and how it takes pictures. */
export interface ImageNetNetwork {
  readonly network: Module;
  readonly preprocessing: Preprocessing;
  /** What it is and whose: `SqueezeNet({ version: '1.0' }) of caffe, pooling: ceil`. */
  readonly title: string;
  /** What is to be known of how it was found, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * The network that weights are of, with them, as their names tell.
 *
 * @throws ValueError if they tell none, or one of other classes
 */
export function imageNetNetworkOf(checkpoint: Checkpoint): ImageNetNetwork {
  const found = identifyNetwork(checkpoint);
  const shown = printablePath(checkpoint.file);
  if (found === null) {
    throw new ValueError(
      `${shown}: has the names of no network that is known here; load it with loadInto into one of yours`,
    );
  }
  const { preprocessing, name, options } = found.origin;
  if (preprocessing === null) {
    throw new ValueError(
      `${shown}: is of ${found.label} as ${name} has it, but not for ImageNet's thousand classes, so ` +
        'nobody knows how it takes pictures; pass weights of ImageNet',
    );
  }
  const network = found.create();
  const { notes } = loadInto(network, checkpoint);
  const more = Object.entries(options).map(([option, value]) => `, ${option}: ${value}`);
  return {
    network: network.eval(),
    preprocessing,
    title: `${found.label} of ${name}${more.join('')}`,
    notes: [...(checkpoint.notes ?? []), ...notes],
  };
}
