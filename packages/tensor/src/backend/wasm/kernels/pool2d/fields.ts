import type { Shape } from '../../../../core/shape.ts';
import type { Window2d } from '../../../../core/window.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import { PLANE_FIELDS, planeParts } from '../loops/planes.ts';

/** Fields that every pooling task has. */
export const WINDOW_FIELDS = {
  ...PLANE_FIELDS,
  source: 'i32',
  target: 'i32',
  indices: 'i32',
  height: 'i32',
  width: 'i32',
  outHeight: 'i32',
  outWidth: 'i32',
  kernelHeight: 'i32',
  kernelWidth: 'i32',
  strideHeight: 'i32',
  strideWidth: 'i32',
  top: 'i32',
  left: 'i32',
  bottom: 'i32',
  right: 'i32',
} as const;

/** Values of the fields but for addresses, and the number of parts. */
export function windowParts(window: Window2d, [N, C, height, width]: Shape) {
  const { padding } = window;
  const { parts, fields: planeFields } = planeParts(N * C, height * width);
  const fields = {
    ...planeFields,
    height,
    width,
    outHeight: window.outHeight,
    outWidth: window.outWidth,
    kernelHeight: window.kernelHeight,
    kernelWidth: window.kernelWidth,
    strideHeight: window.strideHeight,
    strideWidth: window.strideWidth,
    top: padding.top,
    left: padding.left,
    bottom: padding.bottom,
    right: padding.right,
  };
  return { parts, fields };
}

/** The part of a window on one axis that lies inside the input, and its length with padding. */
export interface Extent {
  readonly first: Local<I32>;
  readonly end: Local<I32>;
  readonly length: Local<I32>;
}

/** Window `index` of an axis of `size` elements; see the reference backend's `coverOf`. */
function extent(
  f: FunctionBuilder,
  index: I32,
  {
    stride,
    kernel,
    before,
    after,
    size,
  }: Record<'stride' | 'kernel' | 'before' | 'after' | 'size', I32>,
): Extent {
  const first = f.i32(index.times(stride).minus(before));
  const end = f.i32(first.plus(kernel));
  end.set(end.min(size.plus(after)));
  const length = f.i32(end.minus(first));
  first.set(first.max(0));
  end.set(end.min(size));
  return { first, end, length };
}

export function rowExtent(f: FunctionBuilder, row: I32, p: LocalsOf<typeof WINDOW_FIELDS>): Extent {
  return extent(f, row, {
    stride: p.strideHeight,
    kernel: p.kernelHeight,
    before: p.top,
    after: p.bottom,
    size: p.height,
  });
}

export function columnExtent(
  f: FunctionBuilder,
  column: I32,
  p: LocalsOf<typeof WINDOW_FIELDS>,
): Extent {
  return extent(f, column, {
    stride: p.strideWidth,
    kernel: p.kernelWidth,
    before: p.left,
    after: p.right,
    size: p.width,
  });
}
