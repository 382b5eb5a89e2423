import type { NdArray } from '../../core/ndarray.ts';
import type { Kernels } from '../kernels.ts';
import { referenceKernels } from '../reference/index.ts';
import { conv2dForward } from './conv2d-forward.ts';
import { conv2dBackward } from './conv2d-grad.ts';
import type { GpuSettings } from './pass.ts';
import { planConv2d } from './plan.ts';

/** Devices compute in float32; nothing at all is not worth a kernel. */
function isForDevice(x: NdArray): boolean {
  return x.dtype === 'float32' && x.size > 0;
}

/** The convolution kernels on the device that `settings` gives when they are called. */
export function convolutionOn(settings: () => GpuSettings): Pick<Kernels, 'conv2d' | 'conv2dGrad'> {
  return {
    conv2d(x, branches, activation) {
      if (!isForDevice(x)) return referenceKernels.conv2d(x, branches, activation);
      const current = settings();
      const plan = planConv2d(current.device, x.shape, branches);
      return conv2dForward(current, plan, x, activation);
    },

    conv2dGrad(x, y, gradOut, branches, needed) {
      if (!isForDevice(x)) return referenceKernels.conv2dGrad(x, y, gradOut, branches, needed);
      const current = settings();
      const plan = planConv2d(current.device, x.shape, branches);
      return conv2dBackward(current, plan, { x, y, gradOut }, needed);
    },
  };
}
