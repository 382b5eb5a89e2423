import type { Shape } from '../../../../core/shape.ts';
import type { Window2d } from '../../../../core/window.ts';
import type { Declined, DeclinedCalls } from '../../../declined.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { FieldValues } from '../../runtime/task.ts';
import { PLANES, planeParts } from '../loops/planes.ts';

/** Windows along one axis of a plane, which is padded by `before` and `after` elements. */
export const AXIS = {
  size: 'i32',
  windows: 'i32',
  kernel: 'i32',
  stride: 'i32',
  before: 'i32',
  after: 'i32',
} as const;

/** Fields that every pooling task has. */
export const POOLING = {
  planes: PLANES,
  source: 'address',
  target: 'address',
  rows: AXIS,
  columns: AXIS,
} as const;

type Axes = Pick<FieldValues<typeof POOLING>, 'planes' | 'rows' | 'columns'>;

/** Values of the fields but for addresses, and the number of parts. */
export function windowParts(
  window: Window2d,
  [N, C, height, width]: Shape,
): { parts: number; fields: Axes } {
  const { padding } = window;
  const { parts, planes } = planeParts(N * C, height * width);
  const rows = {
    size: height,
    windows: window.outHeight,
    kernel: window.kernelHeight,
    stride: window.strideHeight,
    before: padding.top,
    after: padding.bottom,
  };
  const columns = {
    size: width,
    windows: window.outWidth,
    kernel: window.kernelWidth,
    stride: window.strideWidth,
    before: padding.left,
    after: padding.right,
  };
  return { parts, fields: { planes, rows, columns } };
}

/** The part of a window on one axis that lies inside the input, and its length with padding. */
export interface Extent {
  readonly first: Local<I32>;
  readonly end: Local<I32>;
  readonly length: Local<I32>;
}

/** Window `index` of an axis; see the reference backend's `coverOf`. */
export function extentOf(
  f: FunctionBuilder,
  index: I32,
  { size, kernel, stride, before, after }: LocalsOf<typeof AXIS>,
): Extent {
  const first = f.i32(index.times(stride).minus(before));
  const end = f.i32(first.plus(kernel));
  end.set(end.min(size.plus(after)));
  const length = f.i32(end.minus(first));
  first.set(first.max(0));
  end.set(end.min(size));
  return { first, end, length };
}

const isDilated = ({ dilationHeight, dilationWidth }: Window2d): boolean =>
  dilationHeight > 1 || dilationWidth > 1;

const DILATED: Declined<[unknown, Window2d]> = {
  calls: 'windows with dilation',
  include: (_, window) => isDilated(window),
};

export const declinedPooling: DeclinedCalls = {
  maxPool2d: [DILATED],
  avgPool2d: [DILATED],
  avgPool2dGrad: [{ calls: DILATED.calls, include: (_, __, window) => isDilated(window) }],
};
