import type { Padding } from '../../../../core/window.ts';
import type { Frame } from '../../frame.ts';
import { defineTask } from '../../task.ts';
import { copyRow, fillRow } from '../rows.ts';

/** Planes of images, some of the channels of each. */
export interface Images {
  readonly address: number;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Bytes from one image to the next. */
  readonly stride: number;
}

const padTask = defineTask(
  'pad',
  {
    source: 'i32',
    target: 'i32',
    channels: 'i32',
    height: 'i32',
    width: 'i32',
    sourceStride: 'i32',
    top: 'i32',
    left: 'i32',
    paddedHeight: 'i32',
    paddedWidth: 'i32',
  },
  (f, fields, { index }) => {
    const { channels, height, width, top, left, paddedHeight, paddedWidth } = fields;
    const image = index.dividedBy(channels);
    const channel = index.modulo(channels);
    const source = f.i32(
      fields.source
        .plus(image.times(fields.sourceStride))
        .plus(channel.times(height).times(width).times(4)),
    );
    const target = f.i32(fields.target.plus(index.times(paddedHeight).times(paddedWidth).times(4)));
    f.call(fillRow, { target, count: paddedHeight.times(paddedWidth), value: 0 });
    target.set(target.plus(top.times(paddedWidth).plus(left).times(4)));
    f.for(0, height, 1, () => {
      f.call(copyRow, { target, source, count: width });
      target.set(target.plus(paddedWidth.times(4)));
      source.set(source.plus(width.times(4)));
    });
  },
);

/**
 * The images with zeros around them, so that windows need no test for the border; the images
 * themselves where there is nothing to add. Lives as long as the frame.
 */
export function padded(frame: Frame, images: Images, padding: Padding): Images {
  const { top, bottom, left, right } = padding;
  if (top + bottom + left + right === 0) return images;
  const { count, channels } = images;
  const height = images.height + top + bottom;
  const width = images.width + left + right;
  const stride = channels * height * width * 4;
  const address = frame.temporary(count * stride);
  frame.run(padTask, count * channels, {
    source: images.address,
    target: address,
    channels,
    height: images.height,
    width: images.width,
    sourceStride: images.stride,
    top,
    left,
    paddedHeight: height,
    paddedWidth: width,
  });
  return { address, count, channels, height, width, stride };
}
