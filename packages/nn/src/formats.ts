/**
 * Checkpoints of other programs: what is in their files, under names of ours. Programs that only need
 * safetensors do without it.
 *
 * @module @firelight/nn/formats
 */

export { NPY, NPZ } from './formats/numpy.ts';
export { CHECKPOINT_FORMATS, type OpenOptions, openCheckpoint } from './formats/open-checkpoint.ts';
