import type { NdArray } from '../../../../core/ndarray.ts';
import type { Conv2dWindow, Padding } from '../../../../core/window.ts';
import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { type Address, addressAfter, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { accumulate } from '../gemm/accumulate.ts';
import { multiply } from '../gemm/multiply.ts';
import { linearTable } from '../gemm/offset-table.ts';
import type { Ending } from '../gemm/operand.ts';
import type { Images } from '../images/images.ts';
import { outputPixels, pixelTable, tapTable, windowPixels, windowTaps } from '../images/offsets.ts';
import { padded } from '../images/pad.ts';
import { type Phase, phasesOf } from '../images/phases.ts';
import { fill } from '../loops/flat-arrays.ts';
import { sumArrays } from '../reduce/sum-arrays.ts';

/**
 * Convolution in all three directions as matrix products, for every window: the operands are packed
 * straight from the (padded) images by tables of offsets, so no image is unfolded in memory.
 *
 *     y[o, pixel]  = Σ_tap   weight[o, tap] · x[pixel + tap]
 *     gw[o, tap]   = Σ_pixel gy[o, pixel] · x[pixel + tap]
 *     gx[i, pixel] = Σ_(o, tap) weight[o, i, tap] · gy[o, pixel − tap]
 */

/** The weights of one convolution, and the channels that belong to it. */
export interface Filters {
  readonly array: NdArray;
  /** Of its elements, or of their gradient. */
  readonly address: Address;
  readonly outChannels: number;
  /** Input channels of one group. */
  readonly groupChannels: number;
  readonly window: Conv2dWindow;
}

/** Columns of a product below which several images are taken together. */
const ENOUGH_COLUMNS = 512;
/** Most parts over which the pixels of a batch are spread when weights' gradients are summed. */
const WEIGHT_GRAD_PARTS = 8;
/** Most memory for their sums. */
const WEIGHT_GRAD_BYTES = 64 * 2 ** 20;

function imagesTogether(images: number, pixels: number): number {
  return Math.min(images, Math.max(1, Math.floor(ENOUGH_COLUMNS / pixels)));
}

/** y ← x ∗ weight, with bias and ReLU as `mode` says. */
export function directForward(
  frame: Frame,
  x: Images,
  filters: Filters,
  y: Images,
  ending: Ending,
): void {
  const { window, outChannels, groupChannels } = filters;
  const { groups } = window;
  const input = padded(frame, x, window.padding);
  const k = groupChannels * window.kernelHeight * window.kernelWidth;
  const pixels = y.height * y.width;
  const together = imagesTogether(x.count, pixels);
  const rows = outChannels / groups;
  multiply(frame, {
    rows,
    k,
    columns: together * pixels,
    totalColumns: x.count * pixels,
    groups,
    ending,
    keepA: { array: filters.array, name: `filters ${groups}` },
    a: {
      address: filters.address,
      kOffsets: linearTable(k, 4),
      lineOffsets: linearTable(rows, k * 4),
      along: true,
      groupStride: rows * k * 4,
      outerStride: 0,
    },
    b: {
      address: input.address,
      kOffsets: windowTaps(window, groupChannels, input),
      lineOffsets: windowPixels(window, together, input),
      along: false,
      groupStride: groupChannels * input.height * input.width * 4,
      outerStride: together * input.stride,
    },
    c: {
      address: y.address,
      rowStride: pixels * 4,
      columnOffsets: outputPixels(window, together, y.stride / (pixels * 4)),
      groupStride: rows * pixels * 4,
      outerStride: together * y.stride,
    },
  });
}

/** A gradient that is made for some images at a time. */
export interface GradientInBlocks {
  readonly images: number;
  /** The images from `first` on; it replaces those before. */
  gradientOf(first: number, count: number): Images;
}

/**
 * gw ← Σ over all pixels of gy · x.
 *
 * @param gradOut gives the shape, and the gradient itself unless it comes in `blocks`
 */
export function directWeightGrad(
  frame: Frame,
  x: Images,
  gradOut: Images,
  filters: Filters,
  blocks: GradientInBlocks = { images: gradOut.count, gradientOf: () => gradOut },
): void {
  const { window, outChannels, groupChannels, address } = filters;
  const { groups } = window;
  const input = padded(frame, x, window.padding);
  const pixels = gradOut.height * gradOut.width;
  const columns = groupChannels * window.kernelHeight * window.kernelWidth;
  const count = outChannels * columns;
  const parts = Math.max(1, Math.min(WEIGHT_GRAD_PARTS, WEIGHT_GRAD_BYTES / (count * 4), x.count));
  // The parts of each block work side by side.
  const together = Math.max(1, Math.ceil(blocks.images / Math.floor(parts)));
  const imagesOfBlock =
    blocks.images < x.count ? Math.floor(blocks.images / together) * together : x.count;
  const arrays = Math.ceil(x.count / together);
  const sums = arrays === 1 ? address : frame.temporary(arrays * count * 4);
  const rows = outChannels / groups;
  for (let first = 0; first < x.count; first += imagesOfBlock) {
    const gradient = blocks.gradientOf(first, Math.min(imagesOfBlock, x.count - first));
    accumulate(frame, {
      rows,
      columns,
      k: together * pixels,
      totalK: gradient.count * pixels,
      groups,
      a: {
        address: gradient.address,
        kOffsets: outputPixels(window, together, gradient.stride / (pixels * 4)),
        lineOffsets: linearTable(rows, pixels * 4),
        groupStride: rows * pixels * 4,
        outerStride: together * gradient.stride,
      },
      b: {
        address: addressAfter(input.address, first * input.stride),
        kOffsets: windowPixels(window, together, input),
        lineOffsets: windowTaps(window, groupChannels, input),
        groupStride: groupChannels * input.height * input.width * 4,
        outerStride: together * input.stride,
      },
      c: addressAfter(sums, (first / together) * count * 4),
      columnOffsets: linearTable(columns, 4),
    });
  }
  if (arrays > 1) sumArrays(frame, { source: sums, arrays, count, target: address });
}

/** gx ← (or, to `accumulate`, gx +=) gy ∗ turned weights. */
export function directInputGrad(
  frame: Frame,
  gradOut: Images,
  filters: Filters,
  gradIn: Images,
  { accumulate }: { accumulate: boolean },
): void {
  const { phases, padding } = phasesOf(filters.window, gradOut, gradIn);
  const isReached = (phase: Phase): boolean =>
    phase.rows.taps.length * phase.columns.taps.length > 0;
  if (!accumulate && !phases.every(isReached)) {
    fill(frame, gradIn.address, gradIn.count * (gradIn.stride / 4), 0);
  }
  const input = padded(frame, gradOut, padding);
  for (const phase of phases.filter(isReached)) {
    phaseInputGrad(frame, { input, filters, gradIn, padding, accumulate }, phase);
  }
}

/** The pixels of gx that one phase of the stride reaches; see `phases.ts`. */
function phaseInputGrad(
  frame: Frame,
  {
    input,
    filters,
    gradIn,
    padding,
    accumulate,
  }: {
    input: Images;
    filters: Filters;
    gradIn: Images;
    padding: Padding;
    accumulate: boolean;
  },
  { rows, columns }: Phase,
): void {
  const { window, outChannels, groupChannels } = filters;
  const { groups, kernelHeight, kernelWidth } = window;
  const groupOut = outChannels / groups;
  const area = kernelHeight * kernelWidth * 4;
  const pixels = rows.count * columns.count;
  if (pixels === 0) return;
  const together = imagesTogether(gradIn.count, pixels);
  const grid = { images: together, rows: rows.count, columns: columns.count };
  multiply(frame, {
    rows: groupChannels,
    k: groupOut * rows.taps.length * columns.taps.length,
    columns: together * pixels,
    totalColumns: gradIn.count * pixels,
    groups,
    ending: { mode: accumulate ? MODE.accumulate : 0, bias: NOWHERE },
    a: {
      address: filters.address,
      kOffsets: tapTable({
        channels: groupOut,
        channelStride: groupChannels * area,
        rows: rows.taps.map(({ kernel }) => kernel * kernelWidth * 4),
        columns: columns.taps.map(({ kernel }) => kernel * 4),
      }),
      lineOffsets: linearTable(groupChannels, area),
      along: false,
      groupStride: groupOut * groupChannels * area,
      outerStride: 0,
    },
    b: {
      address: input.address,
      kOffsets: tapTable({
        channels: groupOut,
        channelStride: input.height * input.width * 4,
        rows: rows.taps.map(({ back }) => -back * input.width * 4),
        columns: columns.taps.map(({ back }) => -back * 4),
      }),
      lineOffsets: pixelTable({
        ...grid,
        imageStride: input.stride,
        rowStride: input.width * 4,
        columnStride: 4,
        start: ((rows.first + padding.top) * input.width + columns.first + padding.left) * 4,
      }),
      along: false,
      groupStride: groupOut * input.height * input.width * 4,
      outerStride: together * input.stride,
    },
    c: {
      address: gradIn.address,
      rowStride: gradIn.height * gradIn.width * 4,
      columnOffsets: pixelTable({
        ...grid,
        imageStride: gradIn.stride,
        rowStride: window.strideHeight * gradIn.width * 4,
        columnStride: window.strideWidth * 4,
        start: (rows.start * gradIn.width + columns.start) * 4,
      }),
      groupStride: groupChannels * gradIn.height * gradIn.width * 4,
      outerStride: together * gradIn.stride,
    },
  });
}
