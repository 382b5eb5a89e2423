import type { Generator } from '@firelight/tensor';
import { heNormal } from '../initializers/index.ts';
import { Conv2d } from '../layers/conv2d.ts';

/** Sizes of a `convolution`. */
export interface ConvolutionOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Odd. */
  readonly kernelSize: number;
  readonly stride?: number;
  readonly groups?: number;
  /** False by default: a batch norm follows, which would take a bias away. */
  readonly bias?: boolean;
  readonly generator?: Generator | undefined;
}

/**
 * A convolution that keeps height and width, or divides them by the stride. First weights are
 * he_normal by fan_out, as in torchvision.
 */
export function convolution(options: ConvolutionOptions): Conv2d {
  const padding = (options.kernelSize - 1) / 2;
  const weightInit = heNormal({ mode: 'fan_out', nonlinearity: 'relu' });
  return new Conv2d({ bias: false, ...options, padding, weightInit });
}
