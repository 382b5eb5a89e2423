import type { CheckpointFormat } from './format.ts';
import { encodeMarked, isOriginal } from './marks.ts';
import { decodeSafetensors, looksLikeSafetensors } from './safetensors.ts';

/** Safetensors, with our marks in what we write: what a checkpoint is unless another is asked for. */
export const SAFETENSORS = {
  name: 'safetensors',
  extensions: ['.safetensors'],
  recognise: looksLikeSafetensors,

  async read(file, source) {
    const snapshot = decodeSafetensors(file, { source });
    const isForeign = !(await isOriginal(file, snapshot.metadata, source));
    return { ...snapshot, isForeign };
  },

  write: encodeMarked,
} satisfies CheckpointFormat;
