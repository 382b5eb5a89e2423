/** Geometry of convolution and pooling windows. */

/** Zero padding in pixels on each side of `[H, W]`. */
export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** One number for both axes, or `[height, width]`. */
export type Pair = number | readonly [number, number];

/**
 * `number`, `[h, w]`, `[top, bottom, left, right]`, `'valid'` (none), `'same'` (output is
 * `ceil(input / stride)`, the odd pixel of padding at the bottom and right) or `'same-lower'` (at the top
 * and left).
 */
export type PaddingOption =
  | number
  | readonly [number, number]
  | readonly [number, number, number, number]
  | 'same'
  | 'same-lower'
  | 'valid';

/** How a window of `kernel` elements moves over an axis pair `[H, W]`; all numbers resolved. */
export interface Window2d {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padding: Padding;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** A window over channels in groups: output channel o sees the input channels of its group only. */
export interface Conv2dWindow extends Window2d {
  readonly groups: number;
}

export function asPair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

/** Pixels that a dilated kernel spans: `dilation · (kernel − 1) + 1`. */
export function spanOf(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/**
 * Padding of one axis under the `'same'` rule:
 * `need = max(0, (ceil(size / stride) − 1) · stride + span − size)`, half before (rounded down),
 * the rest after.
 *
 * @see mindspore/core/ops/conv2d.cc, Conv2DPadFunction (TensorFlow's rule)
 */
function samePadding(size: number, span: number, stride: number): [number, number] {
  const need = Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size);
  const before = Math.floor(need / 2);
  return [before, need - before];
}

/** Padding in pixels from any form of the option. */
export function resolvePadding(
  option: PaddingOption,
  size: readonly [number, number],
  span: readonly [number, number],
  stride: readonly [number, number],
): Padding {
  if (option === 'valid') return { top: 0, bottom: 0, left: 0, right: 0 };
  if (option === 'same' || option === 'same-lower') {
    const [top, bottom] = samePadding(size[0], span[0], stride[0]);
    const [left, right] = samePadding(size[1], span[1], stride[1]);
    if (option === 'same') return { top, bottom, left, right };
    return { top: bottom, bottom: top, left: right, right: left };
  }
  if (typeof option === 'number') {
    return { top: option, bottom: option, left: option, right: option };
  }
  if (option.length === 2) {
    return { top: option[0], bottom: option[0], left: option[1], right: option[1] };
  }
  return { top: option[0], bottom: option[1], left: option[2], right: option[3] };
}

/**
 * Output length of one axis: `⌊(size + padding − span) / stride⌋ + 1`. With `ceilMode` the
 * division rounds up, but a last window that would start in the padding after the input is left
 * out.
 *
 * @see torch.nn.MaxPool2d, parameter `ceil_mode`
 */
export function windowCount(
  size: number,
  [before, after]: readonly [number, number],
  span: number,
  stride: number,
  { ceilMode = false }: { ceilMode?: boolean } = {},
): number {
  const room = size + before + after - span;
  if (!ceilMode) return Math.floor(room / stride) + 1;
  const windows = Math.ceil(room / stride) + 1;
  return (windows - 1) * stride >= size + before ? windows - 1 : windows;
}
