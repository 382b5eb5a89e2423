import { decodeSafetensors, looksLikeSafetensors } from '@firelight/tensor/formats';
import { describeKind } from './file-kinds.ts';
import type { CheckpointFormat } from './format.ts';
import { encodeMarked, isOriginal } from './marks.ts';

/** Safetensors, with our marks in what we write: what a checkpoint is unless another is asked for. */
export const SAFETENSORS = {
  name: 'safetensors',
  extensions: ['.safetensors'],
  recognise: looksLikeSafetensors,

  async read(source) {
    const kind = looksLikeSafetensors(source) ? null : describeKind(source);
    if (kind !== null) throw source.error(kind);
    const content = decodeSafetensors(source);
    return { ...content, isForeign: !(await isOriginal(source, content.metadata)) };
  },

  write: encodeMarked,
} satisfies CheckpointFormat;
