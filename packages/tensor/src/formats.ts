/**
 * Formats of files that hold arrays, and what reads them: any part of a file, in Node and in browsers.
 * Nothing in a file is ever run.
 *
 * @module @firelight/tensor/formats
 */

export {
  type ByteSource,
  type ByteSourceOptions,
  bytesSource,
  type FileErrorClass,
  type FileSourceOptions,
  fileSource,
  firstBytes,
  lastBytes,
  partOfSource,
} from './formats/byte-source.ts';
export { lazyTensors, type NamedTensors } from './formats/lazy-tensors.ts';
export {
  decodeSafetensors,
  type EncodeSafetensorsOptions,
  encodeSafetensors,
  LENGTH_BYTES as SAFETENSORS_LENGTH_BYTES,
  looksLikeSafetensors,
  type SafetensorsContent,
} from './formats/safetensors.ts';
