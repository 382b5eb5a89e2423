import type { Conv2dWindow } from '../../../../core/window.ts';
import { type Address, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import type { Ending } from '../gemm/operand.ts';
import type { Images } from '../images/images.ts';
import { correlate } from './correlate.ts';
import { forwardGeometry, inputGradGeometry, weightGradGeometry } from './geometry.ts';
import { weightGrad } from './weight-grad.ts';

/**
 * Convolution in which each channel of the output sees one of the input, in all three directions. A
 * product of matrices of one row wastes most of its tile and packs each pixel once for each tap; here
 * planes are read once, and what is left is the speed of memory.
 *
 *     y[o, pixel]  = Σ_tap      weight[o, tap] · x[o div m, pixel + tap]
 *     gw[o, tap]   = Σ_pixel    gy[o, pixel] · x[o div m, pixel + tap]
 *     gx[c, pixel] = Σ_(o, tap) weight[o, tap] · gy[o, pixel − tap]      for the m channels o of c
 */

interface Filters {
  readonly address: Address;
  readonly outChannels: number;
  readonly groupChannels: number;
  readonly window: Conv2dWindow;
}

const tapsOf = ({ kernelHeight, kernelWidth }: Conv2dWindow): number => kernelHeight * kernelWidth;

const planesOf = ({ count, channels }: Images) => ({ images: count, channels });

export function isDepthwise({ groupChannels, window }: Filters): boolean {
  return groupChannels === 1 && window.groups > 1;
}

/** y ← x ∗ weight, with bias and ReLU as `mode` says; false where planes are too large. */
export function depthwiseForward(
  frame: Frame,
  source: Images,
  { address, outChannels, window }: Filters,
  target: Images,
  ending: Ending,
): boolean {
  const geometry = forwardGeometry(window, planesOf(target));
  if (geometry === null) return false;
  correlate(frame, geometry, {
    source,
    y: null,
    target,
    sources: 1,
    targets: outChannels / window.groups,
    weights: { address, stride: tapsOf(window) * 4 },
    ending,
    step: { height: 1, width: 1 },
    isTurned: false,
  });
  return true;
}

/** gx ← gy ∗ turned weights; false where planes are too large. */
export function depthwiseInputGrad(
  frame: Frame,
  gradOut: Images,
  y: Address | null,
  { address, outChannels, window }: Filters,
  gradIn: Images,
): boolean {
  const multiplier = outChannels / window.groups;
  const geometry = inputGradGeometry(window, {
    multiplier,
    gradOut,
    gradIn: { height: gradIn.height, width: gradIn.width },
    planes: planesOf(gradIn),
  });
  if (geometry === null) return false;
  correlate(frame, geometry, {
    source: gradOut,
    y,
    target: gradIn,
    sources: multiplier,
    targets: 1,
    weights: { address, stride: multiplier * tapsOf(window) * 4 },
    ending: { mode: 0, bias: NOWHERE },
    step: { height: window.strideHeight, width: window.strideWidth },
    isTurned: true,
  });
  return true;
}

/** gw ←, and the gradient's sums over planes, [N, channels], float64; null where planes are too large. */
export function depthwiseWeightGrad(
  frame: Frame,
  x: Images,
  gradOut: Images,
  y: Address | null,
  { address, window }: Filters,
): Address | null {
  const geometry = weightGradGeometry(window, planesOf(gradOut));
  if (geometry === null) return null;
  return weightGrad(frame, geometry, { x, gradOut, y, tapCount: tapsOf(window), target: address });
}
