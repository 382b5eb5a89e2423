import {
  CIFAR10_MEAN,
  CIFAR10_STD,
  Compose,
  HWC2CHW,
  type Image,
  Normalize,
  Rescale,
  Resize,
  type Transform,
} from '@firelight/data';
import { Generator, type Tensor, tensor } from '@firelight/tensor';
import { centerSquare } from './center-square.ts';

const NORMALIZE = new Normalize({ mean: CIFAR10_MEAN, std: CIFAR10_STD });

/** The last steps for every image, from `[H, W, C]` bytes to what the network takes. */
export function networkInput(): Transform[] {
  return [new Rescale(1 / 255, 0), NORMALIZE, new HWC2CHW()];
}

/** Image `index` of a batch that was made for the network, as it looks: values from 0 to 1. */
export function imageOf(batch: Tensor, index: number): Image {
  const [, channels, height, width] = batch.shape;
  const length = channels * height * width;
  const data = batch.data.slice(index * length, (index + 1) * length) as Float32Array;
  // The mean and deviation that it was normalized with: others would give false colours.
  return NORMALIZE.inverse().apply({ data, channels, height, width, layout: 'CHW' });
}

/** A picture `[H, W, 3]` of bytes as the input `[3, imageSize, imageSize]`: its middle, made so small. */
export function cifarInput(picture: Image, imageSize: number): Tensor {
  const resize = new Resize([imageSize, imageSize]);
  const transform = new Compose([centerSquare, resize, ...networkInput()]);
  const { data, channels, height, width } = transform.apply(picture, new Generator(0));
  return tensor(data as Float32Array, { shape: [channels, height, width] });
}
