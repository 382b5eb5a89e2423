/**
 * Checkpoints and networks of other programs: what is in their files, under names of ours. Programs that
 * only need safetensors do without it.
 *
 * @module @firelight/nn/formats
 */

export { COMPACT } from './formats/compact/compact-format.ts';
export { SONGHAN } from './formats/deep-compression/songhan-format.ts';
export { MINDSPORE } from './formats/mindspore/mindspore-format.ts';
export {
  type IdentifiedNetwork,
  identifyNetwork,
  type NamedContent,
} from './formats/names/identify.ts';
export { type LoadIntoOptions, loadInto } from './formats/names/load-into.ts';
export {
  exportNames,
  type MapOptions,
  type MappedNames,
  mapNames,
} from './formats/names/map-names.ts';
export type { Origin, OriginName, Preprocessing } from './formats/names/origin.ts';
export { NPY, NPZ } from './formats/numpy.ts';
export { type ExportOnnxOptions, exportOnnx } from './formats/onnx/export/export-onnx.ts';
export type { ExternalFiles } from './formats/onnx/external-data.ts';
export { type ImportOnnxOptions, importOnnx } from './formats/onnx/import-onnx.ts';
export type { OnnxNetwork, OnnxPort } from './formats/onnx/onnx-network.ts';
export { CHECKPOINT_FORMATS, type OpenOptions, openCheckpoint } from './formats/open-checkpoint.ts';
export type { BrowserFile, FileLike } from './formats/open-source.ts';
export { PYTORCH, savePytorch } from './formats/pytorch/format.ts';
export { encodePytorch, type PytorchSnapshot } from './formats/pytorch/write.ts';
export {
  type LayersModel,
  type LayersModelFiles,
  openLayersModel,
} from './formats/tfjs/open-layers-model.ts';
