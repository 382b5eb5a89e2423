import type { Image } from '@firelight/data';
import { type Checkpoint, Model } from '@firelight/nn';
import { identifyNetwork } from '@firelight/nn/formats';
import { stack } from '@firelight/tensor';
import { cifarInput } from './cifar-input.ts';
import { imageNetInput } from './imagenet-input.ts';
import { imageNetNetworkOf } from './imagenet-network.ts';
import { cifarNetworkOf } from './open-network.ts';
import { type RankedClass, rankedClasses } from './ranked-classes.ts';

/** A network with what it needs to say what pictures show. */
export interface Classifier {
  /** The names of its classes; null for ImageNet's thousand, which no checkpoint holds. */
  readonly classNames: readonly string[] | null;
  /** What is to be known of how the network was found, a sentence each. */
  readonly notes: readonly string[];
  /** The classes of a picture `[H, W, 3]` of bytes, the most probable first. */
  classify(picture: Image): readonly RankedClass[];
}

/**
 * The network of a checkpoint, for ImageNet as `classify.ts` opens it, or for CIFAR-10 as `predict.ts` does.
 *
 * @throws FirelightError if it is of neither
 */
export function classifierOf(checkpoint: Checkpoint): Classifier {
  const isOfRun = checkpoint.metadata.config !== undefined;
  if (!isOfRun && (identifyNetwork(checkpoint)?.origin.preprocessing ?? null) !== null) {
    const { network, preprocessing, notes } = imageNetNetworkOf(checkpoint);
    const model = new Model({ network });
    const classify = (picture: Image): readonly RankedClass[] =>
      rankedClasses(model.predict(imageNetInput(picture, preprocessing)))[0];
    return { classNames: null, notes, classify };
  }
  const { network, imageSize, classNames, notes } = cifarNetworkOf(checkpoint);
  const model = new Model({ network });
  const classify = (picture: Image): readonly RankedClass[] =>
    rankedClasses(model.predict(stack([cifarInput(picture, imageSize)])))[0];
  return { classNames, notes, classify };
}
