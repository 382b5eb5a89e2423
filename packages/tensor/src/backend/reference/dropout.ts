import { newTypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { philoxWords } from '../../core/random.ts';
import type { Kernels } from '../contract.ts';

export const regularization: Pick<Kernels, 'dropout'> = {
  // Element i is dropped where word i of the stream is below rate · 2³².
  dropout(x, rate, generator) {
    const words = philoxWords(generator, x.size);
    const threshold = rate * 2 ** 32;
    const scale = 1 / (1 - rate);
    const data = x.data;
    const out = newTypedArray(x.dtype, data.length);
    for (let i = 0; i < out.length; i++) out[i] = words[i] < threshold ? 0 : data[i] * scale;
    return NdArray.fromTypedArray(out, x.shape, x.dtype);
  },
};
