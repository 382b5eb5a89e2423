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
export { crc32 } from './formats/crc32.ts';
export {
  byteWidth,
  readElements,
  swapBytes,
  toBytes as elementBytes,
} from './formats/element-types.ts';
export { extentOf, gather, type StridedLayout } from './formats/gather.ts';
export { type DeflateFormat, type InflateOptions, inflate } from './formats/inflate.ts';
export { joinBytes } from './formats/join-bytes.ts';
export { latin1 } from './formats/latin1.ts';
export { lazyTensors, type NamedTensors } from './formats/lazy-tensors.ts';
export { decodeNpy, encodeNpy, looksLikeNpy } from './formats/npy.ts';
export { decodeNpz, encodeNpz, looksLikeNpz } from './formats/npz.ts';
export { unpickle } from './formats/pickle.ts';
export {
  type PickleCall,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
  type RefusePickle,
} from './formats/pickle-values.ts';
export {
  decodeSafetensors,
  type EncodeSafetensorsOptions,
  encodeSafetensors,
  LENGTH_BYTES as SAFETENSORS_LENGTH_BYTES,
  looksLikeSafetensors,
  type SafetensorsContent,
} from './formats/safetensors.ts';
export type { UnpickleOptions } from './formats/unpickler.ts';
export { type EncodeZipOptions, encodeZip } from './formats/write-zip.ts';
export { looksLikeZip, readZip, type ZipMember, zipNames } from './formats/zip.ts';
