import { ValueError } from '@firelight/tensor';
import {
  decodeNpy,
  decodeNpz,
  encodeNpz,
  lazyTensors,
  looksLikeNpy,
  looksLikeNpz,
} from '@firelight/tensor/formats';
import type { CheckpointFormat } from '../checkpoint/format.ts';

/** An archive of NumPy's arrays, as `numpy.savez` writes it. It holds no metadata. */
export const NPZ: CheckpointFormat = {
  name: 'npz',
  extensions: ['.npz'],
  recognise: looksLikeNpz,

  async read(source) {
    return { tensors: await decodeNpz(source), metadata: {}, isForeign: true };
  },

  write({ tensors, metadata }) {
    const [name] = Object.keys(metadata);
    if (name !== undefined) {
      throw new ValueError(
        `npz: holds arrays only, no metadata such as '${name}'; leave it out, or save safetensors`,
      );
    }
    return encodeNpz(tensors);
  },
};

/** One array of NumPy, as `numpy.save` writes it; its name is `arr_0`, as in an archive that gives none. */
export const NPY: CheckpointFormat = {
  name: 'npy',
  extensions: ['.npy'],
  recognise: looksLikeNpy,

  read(source) {
    const tensors = lazyTensors({ arr_0: source }, (_, array) => decodeNpy(array));
    return { tensors, metadata: {}, isForeign: true };
  },
};
