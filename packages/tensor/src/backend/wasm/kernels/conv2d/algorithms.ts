import type { Padding } from '../../../../core/window.ts';
import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { type Address, addressAfter, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { settings } from '../../runtime/settings.ts';
import {
  depthwiseForward,
  depthwiseInputGrad,
  depthwiseWeightGrad,
  isDepthwise,
} from '../depthwise/depthwise.ts';
import type { Ending } from '../gemm/operand.ts';
import type { Images } from '../images/images.ts';
import { maskedAndPadded, padded, paddedBytes, paddingTo } from '../images/pad.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import type { Blocks } from '../winograd/blocks.ts';
import { coveredInput } from '../winograd/tiles.ts';
import type { OutputTile } from '../winograd/transforms.ts';
import { cutForWeightGrad, weightGradTiles, winogradWeightGrad } from '../winograd/weight-grad.ts';
import { chooseTile, cutForWinograd, winograd } from '../winograd/winograd.ts';
import { directForward, directInputGrad, directWeightGrad, type Filters } from './direct.ts';

export type { Filters } from './direct.ts';

/** Most memory for the gradient before an activation where it is needed for one thing only. */
const MASKED_BYTES = 40 * 2 ** 20;

const NO_PADDING = { top: 0, bottom: 0, left: 0, right: 0 };

function chosenTile({ window, outChannels, groupChannels }: Filters, output: Images) {
  const channels = { k: groupChannels, rows: outChannels };
  return settings.winograd ? chooseTile(window, { ...channels, output }) : null;
}

/** y ← x ∗ weight, with bias and ReLU as `mode` says. */
export function convolve(
  frame: Frame,
  x: Images,
  filters: Filters,
  y: Images,
  ending: Ending,
): void {
  if (isDepthwise(filters) && depthwiseForward(frame, x, filters, y, ending)) return;
  const { window, outChannels: rows, groupChannels: k, array, address } = filters;
  const m = chosenTile(filters, y);
  if (m === null) {
    directForward(frame, x, filters, y, ending);
    return;
  }
  const weights = { array, address, rows, k, rowStride: k * 36, kStride: 36, turned: false };
  const cut = cutForWinograd(m, k, y);
  if (cut === null) {
    const input = padded(frame, x, paddingTo(x, window.padding, coveredInput(m, y)));
    winograd(frame, m, input, weights, y, ending, null);
  } else {
    winograd(frame, m, x, weights, y, ending, { cut, ...window.padding });
  }
}

interface GradientOperands {
  readonly x: Images;
  readonly gradOut: Images;
  /** The output after ReLU; null where there was none. */
  readonly y: Address | null;
  readonly filters: Filters;
  readonly gradX: Images | null;
  /** Whether `gradX` holds the gradient of other branches already. */
  readonly addToGradX: boolean;
  readonly gradWeight: Address | null;
  readonly needsSums: boolean;
}

/** gx ← (or +=) and gw ← for one branch; and the gradient's sums over planes, [N, outChannels], float64. */
export function gradientsOf(frame: Frame, given: GradientOperands): { sums: Address | null } {
  const { sums, left } = isDepthwise(given.filters)
    ? depthwiseGradients(frame, given)
    : { sums: null, left: given };
  return { sums: gradientsLeft(frame, left) ?? sums };
}

/** Those that are computed plane by plane, and what is left to compute. */
function depthwiseGradients(
  frame: Frame,
  operands: GradientOperands,
): { sums: Address | null; left: GradientOperands } {
  const { x, gradOut, y, filters, gradX, gradWeight, addToGradX, needsSums } = operands;
  const isDone =
    gradX !== null && !addToGradX && depthwiseInputGrad(frame, gradOut, y, filters, gradX);
  const sums =
    gradWeight === null
      ? null
      : depthwiseWeightGrad(frame, x, gradOut, y, { ...filters, address: gradWeight });
  const left = {
    ...operands,
    gradX: isDone ? null : gradX,
    gradWeight: sums === null ? gradWeight : null,
    needsSums: needsSums && sums === null,
  };
  return { sums, left };
}

/** The same by products of matrices or by Winograd. */
function gradientsLeft(frame: Frame, operands: GradientOperands): Address | null {
  if (operands.gradX === null && operands.gradWeight === null && !operands.needsSums) return null;
  const { x, gradOut, filters, gradX, gradWeight, addToGradX } = operands;
  const plan = winogradPlan(operands);
  if (plan !== null) {
    const { gradient, sums } = beforeActivation(frame, operands, plan.padding);
    if (gradX !== null) {
      const { array, address, outChannels: k, groupChannels: rows } = filters;
      // A convolution too, with turned kernels and 2 − padding zeros.
      const weights = { array, address, rows, k, rowStride: 36, kStride: rows * 36, turned: true };
      const mode = addToGradX ? MODE.accumulate : 0;
      const ending = { mode, bias: NOWHERE };
      winograd(frame, plan.m, gradient, weights, gradX, ending, plan.copied?.gradient ?? null);
    }
    if (gradWeight !== null) {
      const { window } = filters;
      const covered = coveredInput(plan.m, gradOut);
      const copied = plan.copied?.input ?? null;
      const input = copied === null ? padded(frame, x, paddingTo(x, window.padding, covered)) : x;
      const start = plan.padding.top * gradient.width + plan.padding.left;
      const shifted = { ...gradient, address: addressAfter(gradient.address, start * 4) };
      winogradWeightGrad(frame, plan.m, input, shifted, gradOut, {
        weight: gradWeight,
        blockTiles: plan.blockTiles,
        copied,
      });
    }
    return sums;
  }
  if (gradX === null && gradWeight !== null && operands.y !== null) {
    return maskedWeightGrad(frame, operands, operands.y, gradWeight);
  }
  const { gradient, sums } = beforeActivation(frame, operands, NO_PADDING);
  if (gradX !== null) {
    directInputGrad(frame, gradient, filters, gradX, { accumulate: addToGradX });
  }
  if (gradWeight !== null) {
    directWeightGrad(frame, x, gradient, { ...filters, address: gradWeight });
  }
  return sums;
}

/** How both gradients are computed by Winograd. */
interface WinogradPlan {
  readonly m: OutputTile;
  readonly blockTiles: number;
  /** Zeros around the output's gradient in memory. */
  readonly padding: Padding;
  /** Blocks in which zeros are added to the output's gradient and to x; null where they are in memory. */
  readonly copied: { readonly gradient: Blocks; readonly input: Blocks } | null;
}

/** Null where Winograd does not apply or does not pay. */
function winogradPlan({ x, gradOut, filters }: GradientOperands): WinogradPlan | null {
  const { window, outChannels, groupChannels } = filters;
  const m = chosenTile(filters, gradOut);
  const top = 2 - window.padding.top;
  const left = 2 - window.padding.left;
  if (m === null || top < 0 || left < 0) return null;
  const blockTiles = weightGradTiles(m, groupChannels, outChannels);
  if (blockTiles === null) return null;
  const cutOfGradient = cutForWinograd(m, outChannels, x);
  const cutOfInput = cutForWeightGrad(m, blockTiles, gradOut);
  if (cutOfGradient !== null && cutOfInput !== null) {
    const gradient = { cut: cutOfGradient, top, left };
    const input = { cut: cutOfInput, ...window.padding };
    return { m, blockTiles, padding: NO_PADDING, copied: { gradient, input } };
  }
  const forInput = coveredInput(m, x);
  const forWeight = coveredInput(m, gradOut);
  const size = {
    height: Math.max(forInput.height, forWeight.height - 2 + top),
    width: Math.max(forInput.width, forWeight.width - 2 + left),
  };
  return { m, blockTiles, padding: paddingTo(gradOut, { top, left }, size), copied: null };
}

/** The gradient before the activation, padded, and its sums over planes if needed. */
function beforeActivation(
  frame: Frame,
  { gradOut, y, needsSums }: GradientOperands,
  padding: Padding,
): { gradient: Images; sums: Address | null } {
  if (y !== null) {
    const sums = frame.temporary(gradOut.count * gradOut.channels * 8);
    const address = frame.temporary(paddedBytes(gradOut, padding));
    return { gradient: maskedAndPadded(frame, gradOut, y, padding, { address, sums }), sums };
  }
  return {
    gradient: padded(frame, gradOut, padding),
    sums: needsSums ? planeSums(frame, gradOut) : null,
  };
}

/**
 * The weight's gradient where the input's is not needed, as in a network's first layer, whose output is
 * often the largest of all: the gradient before the activation is made for a few images at a time. Returns
 * its sums over planes.
 */
function maskedWeightGrad(
  frame: Frame,
  { x, gradOut, filters }: GradientOperands,
  y: Address,
  gradWeight: Address,
): Address {
  const planeOfImage = gradOut.channels * 8;
  const sums = frame.temporary(gradOut.count * planeOfImage);
  const imageBytes = paddedBytes({ ...gradOut, count: 1 }, NO_PADDING);
  const images = Math.max(1, Math.min(gradOut.count, Math.floor(MASKED_BYTES / imageBytes)));
  const address = frame.temporary(images * imageBytes);
  directWeightGrad(
    frame,
    x,
    gradOut,
    { ...filters, address: gradWeight },
    {
      images,
      gradientOf(first, count) {
        const start = first * gradOut.stride;
        const some = { ...gradOut, count, address: addressAfter(gradOut.address, start) };
        const into = { address, sums: addressAfter(sums, first * planeOfImage) };
        return maskedAndPadded(frame, some, addressAfter(y, start), NO_PADDING, into);
      },
    },
  );
  return sums;
}

function planeSums(
  frame: Frame,
  { address, count, channels, height, width, stride }: Images,
): Address {
  const sums = frame.temporary(count * channels * 8);
  const length = height * width;
  const groups = { rows: channels, gap: stride - channels * length * 4 };
  const rows = { outer: count * channels, length, inner: 1 };
  sumAxis(frame, { address, areSums: false, groups }, rows, { address: sums, divisor: null });
  return sums;
}
