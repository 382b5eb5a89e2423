export { type BatchOptions, batches } from './batches.ts';
export { type CifarRecords, parseCifarBinary } from './cifar10/binary.ts';
export { Cifar10, type Cifar10Options } from './cifar10/cifar10.ts';
export {
  CIFAR10_CLASSES,
  CIFAR10_MEAN,
  CIFAR10_STD,
  type CifarSplit,
} from './cifar10/constants.ts';
export {
  type DownloadOptions,
  type DownloadProgress,
  downloadCifar10,
} from './cifar10/download.ts';
export { type FoundCifar10, findCifar10 } from './cifar10/find.ts';
export { syntheticCifar10 } from './cifar10/synthetic.ts';
export type { Batch, BatchSource, Dataset, Sample } from './dataset.ts';
export { DataError } from './errors.ts';
export type { Image, ImageLayout, PixelData } from './image.ts';
export { Compose } from './transforms/compose.ts';
export { HWC2CHW } from './transforms/hwc-to-chw.ts';
export { Normalize, type NormalizeOptions } from './transforms/normalize.ts';
export { RandomCrop, type RandomCropOptions } from './transforms/random-crop.ts';
export { RandomHorizontalFlip } from './transforms/random-horizontal-flip.ts';
export { Rescale } from './transforms/rescale.ts';
export { type Interpolation, Resize } from './transforms/resize.ts';
export type { Transform, TransformFunction, TransformLike } from './transforms/transform.ts';
