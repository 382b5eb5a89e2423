/**
 * Data sets, transforms and batches.
 *
 * @module @firelight/data
 */

export type { BrowserWorker } from '@firelight/tensor';
export type { Archive, ArchiveFile, Download, Forms } from './archive/archive.ts';
export { downloadArchive } from './archive/download.ts';
export type { ArchiveDownloadOptions } from './archive/fetch-archive.ts';
export type { DownloadProgress } from './archive/fetch-file.ts';
export type { FileBytes } from './archive/files.ts';
export { downloadProgressBar } from './archive/progress-bar.ts';
export {
  type BatchArrays,
  type BatchTransform,
  defineBatchTransform,
  type MixOptions,
} from './batch-transforms/batch-transform.ts';
export { CutMix } from './batch-transforms/cut-mix.ts';
export { Mixup } from './batch-transforms/mixup.ts';
export { OneHot } from './batch-transforms/one-hot.ts';
export { parseCifarBinary } from './cifar/binary.ts';
export { Cifar10, type Cifar10Options } from './cifar/cifar10.ts';
export { Cifar100, type Cifar100Options } from './cifar/cifar100.ts';
export { parseCifar100Binary } from './cifar/cifar100-binary.ts';
export { CIFAR100_CLASSES, CIFAR100_COARSE_CLASSES } from './cifar/cifar100-classes.ts';
export {
  CIFAR10_CLASSES,
  CIFAR10_MEAN,
  CIFAR10_STD,
  CIFAR100_MEAN,
  CIFAR100_STD,
  type CifarSplit,
} from './cifar/constants.ts';
export { type DownloadOptions, downloadCifar10, downloadCifar100 } from './cifar/download.ts';
export { type FoundCifar10, findCifar10 } from './cifar/find.ts';
export { parseCifarPython } from './cifar/python-batch.ts';
export { CifarRecords, type RecordTable } from './cifar/records.ts';
export { CifarSamples } from './cifar/samples.ts';
export { syntheticCifar10 } from './cifar/synthetic.ts';
export type { Batch, BatchSource, Dataset, Sample } from './core/dataset.ts';
export { DataError } from './core/errors.ts';
export type { Image, ImageLayout, PixelData } from './core/image.ts';
export type { DefinedClass, HasRecipe, Recipe } from './core/recipe.ts';
export {
  downloadFashionMnist,
  FASHION_MNIST_CLASSES,
  FASHION_MNIST_MEAN,
  FASHION_MNIST_STD,
  FashionMnist,
  type FashionMnistOptions,
  type FashionMnistSplit,
  findFashionMnist,
} from './idx/fashion-mnist.ts';
export { type IdxArray, parseIdx } from './idx/idx.ts';
export { IdxSamples } from './idx/idx-samples.ts';
export { decodeImage, readImage } from './images/decode.ts';
export { ImageFolder } from './images/image-folder.ts';
export { type BatchOptions, batches } from './loader/batches.ts';
export {
  type FindOptions,
  type FoundFiles,
  findPublished,
  type WantedFiles,
} from './published/find.ts';
export {
  PublishedDataset,
  type PublishedKind,
  type PublishedOptions,
} from './published/published-dataset.ts';
export { CenterCrop } from './transforms/center-crop.ts';
export { ColorJitter, type ColorJitterOptions } from './transforms/color-jitter.ts';
export { Compose } from './transforms/compose.ts';
export { Cutout, type CutoutOptions } from './transforms/cutout.ts';
export { HWC2CHW } from './transforms/hwc-to-chw.ts';
export type { Interpolation } from './transforms/interpolation.ts';
export { Normalize, type NormalizeOptions } from './transforms/normalize.ts';
export { RandAugment, type RandAugmentOptions } from './transforms/rand-augment.ts';
export { RandomCrop, type RandomCropOptions } from './transforms/random-crop.ts';
export { RandomHorizontalFlip } from './transforms/random-horizontal-flip.ts';
export {
  RandomResizedCrop,
  type RandomResizedCropOptions,
} from './transforms/random-resized-crop.ts';
export { RandomRotation, type RandomRotationOptions } from './transforms/random-rotation.ts';
export { Rescale } from './transforms/rescale.ts';
export { Resize, type ResizeOptions, type ResizeSize } from './transforms/resize.ts';
export {
  defineTransform,
  type Transform,
  type TransformFunction,
  type TransformLike,
} from './transforms/transform.ts';
