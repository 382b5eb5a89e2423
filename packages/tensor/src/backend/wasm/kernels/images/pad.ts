import type { Padding } from '../../../../core/window.ts';
import { loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { beforeRelu } from '../lanes/before-relu.ts';
import { LongSum } from '../lanes/long-sum.ts';
import { forPlane, forPlanes, PLANE_FIELDS, planeParts } from '../loops/planes.ts';
import { copyRow, fillRow } from '../loops/rows.ts';

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
    ...PLANE_FIELDS,
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
    forPlanes(f, fields, index, (plane) => {
      const { channels, height, width, top, left, paddedHeight, paddedWidth } = fields;
      const image = plane.dividedBy(channels);
      const channel = plane.modulo(channels);
      const source = f.i32(
        fields.source
          .plus(image.times(fields.sourceStride))
          .plus(channel.times(height).times(width).times(4)),
      );
      const target = f.i32(
        fields.target.plus(plane.times(paddedHeight).times(paddedWidth).times(4)),
      );
      f.call(fillRow, { target, count: paddedHeight.times(paddedWidth), value: 0 });
      target.set(target.plus(top.times(paddedWidth).plus(left).times(4)));
      f.for(0, height, 1, () => {
        f.call(copyRow, { target, source, count: width });
        target.set(target.plus(paddedWidth.times(4)));
        source.set(source.plus(width.times(4)));
      });
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
  const { parts, fields } = planeParts(count * channels, height * width);
  frame.run(padTask, parts, {
    ...fields,
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

/** Bytes of images with zeros around them. */
export function paddedBytes(
  { count, channels, height, width }: Images,
  { top, bottom, left, right }: Padding,
): number {
  return count * channels * (height + top + bottom) * (width + left + right) * 4;
}

const maskTask = defineTask(
  'gradientOfActivation',
  {
    ...PLANE_FIELDS,
    gradOut: 'i32',
    y: 'i32',
    target: 'i32',
    sums: 'i32',
    channels: 'i32',
    height: 'i32',
    width: 'i32',
    sourceStride: 'i32',
    top: 'i32',
    left: 'i32',
    paddedHeight: 'i32',
    paddedWidth: 'i32',
  },
  (f, p, { index }) => {
    forPlanes(f, p, index, (plane) => {
      const { channels, height, width, top, left, paddedHeight, paddedWidth } = p;
      const start = f.i32(
        plane
          .dividedBy(channels)
          .times(p.sourceStride)
          .plus(plane.modulo(channels).times(height).times(width).times(4)),
      );
      const gradOut = f.i32(p.gradOut.plus(start));
      const y = f.i32(p.y.plus(start));
      const target = f.i32(p.target.plus(plane.times(paddedHeight).times(paddedWidth).times(4)));
      const border = f.i32(paddedHeight.times(paddedWidth).minus(height.times(width)));
      f.if(border, () =>
        f.call(fillRow, { target, count: paddedHeight.times(paddedWidth), value: 0 }),
      );
      target.set(target.plus(top.times(paddedWidth).plus(left).times(4)));
      // Without a border a plane is one long row.
      const rowLength = f.i32(width);
      const rows = f.i32(height);
      f.if(border.isZero(), () => {
        rowLength.set(height.times(width));
        rows.set(1);
      });
      const sum = new LongSum(f);
      const value = f.f32();
      f.for(0, rows, 1, () => {
        const to = f.i32(target);
        forPlane(f, rowLength, [gradOut, y, to], {
          vector(lanes) {
            const masked = beforeRelu(loadFloats(gradOut, 0, lanes), loadFloats(y, 0, lanes));
            const values = f.floatsLike(masked, masked);
            sum.collect(values);
            f.store(to, values);
          },
          single() {
            // In a lane, because a branch would be taken or not at random.
            value.set(beforeRelu(loadSplat(gradOut), loadSplat(y)).lane(0));
            sum.addSingle(value);
            f.store(to, value);
          },
          flush: () => sum.flush(),
        });
        target.set(target.plus(paddedWidth.times(4)));
      });
      f.store(p.sums.plus(plane.times(8)), sum.total);
    });
  },
);

/**
 * The gradient before a ReLU with zeros around it: 0 where y ≤ 0, else gradOut; and its sums over
 * each plane, [N, channels], float64, for the gradient of the bias. One pass over memory for all three.
 *
 * @param into where both go: `paddedBytes`, and 8 bytes for each plane
 */
export function maskedAndPadded(
  frame: Frame,
  gradOut: Images,
  y: number,
  { top, bottom, left, right }: Padding,
  into: { address: number; sums: number },
): Images {
  const { count, channels } = gradOut;
  const height = gradOut.height + top + bottom;
  const width = gradOut.width + left + right;
  const stride = channels * height * width * 4;
  const { address, sums } = into;
  const { parts, fields } = planeParts(count * channels, height * width);
  frame.run(maskTask, parts, {
    ...fields,
    gradOut: gradOut.address,
    y,
    target: address,
    sums,
    channels,
    height: gradOut.height,
    width: gradOut.width,
    sourceStride: gradOut.stride,
    top,
    left,
    paddedHeight: height,
    paddedWidth: width,
  });
  return { address, count, channels, height, width, stride };
}
