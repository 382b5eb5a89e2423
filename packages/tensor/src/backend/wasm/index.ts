import type { NdArray } from '../../core/ndarray.ts';
import type { Kernels } from '../kernels.ts';
import { convolution } from './kernels/conv2d/conv2d.ts';

export const wasmKernels: Partial<Kernels> = {
  ...convolution,
};
