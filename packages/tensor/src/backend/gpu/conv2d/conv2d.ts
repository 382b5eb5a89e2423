import type { Kernels } from '../../contract.ts';
import type { GpuSettings } from '../device/pass.ts';
import { conv2dForward } from './conv2d-forward.ts';
import { conv2dBackward } from './conv2d-grad.ts';
import { planConv2d } from './plan.ts';

/** The convolution kernels on the device that `settings` gives when they are called. */
export function convolutionOn(settings: () => GpuSettings): Pick<Kernels, 'conv2d' | 'conv2dGrad'> {
  return {
    conv2d(x, branches, activation) {
      const current = settings();
      const plan = planConv2d(current.device, x.shape, branches);
      return conv2dForward(current, plan, x, activation);
    },

    conv2dGrad(x, y, gradOut, branches, needed) {
      const current = settings();
      const plan = planConv2d(current.device, x.shape, branches);
      return conv2dBackward(current, plan, { x, y, gradOut }, needed);
    },
  };
}
