import type { Padding } from '../../../../core/window.ts';
import { loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { Address } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { beforeRelu } from '../lanes/before-relu.ts';
import { LongSum } from '../lanes/long-sum.ts';
import { forPlane, forPlanes, PLANES, planeParts } from '../loops/planes.ts';
import { copyRow, fillRow } from '../loops/rows.ts';
import { IMAGES, type Images } from './images.ts';

const padTask = defineTask(
  'pad',
  { planes: PLANES, images: IMAGES, padded: IMAGES, top: 'i32', left: 'i32' },
  (f, { planes, images, padded, top, left }, { index }) => {
    forPlanes(f, planes, index, (plane) => {
      const { channels, height, width } = images;
      const image = plane.dividedBy(channels);
      const channel = plane.modulo(channels);
      const source = f.i32(
        images.address
          .plus(image.times(images.stride))
          .plus(channel.times(height).times(width).times(4)),
      );
      const area = padded.height.times(padded.width);
      const target = f.i32(
        padded.address.plus(plane.times(padded.height).times(padded.width).times(4)),
      );
      f.call(fillRow, { target, count: area, value: 0 });
      target.set(target.plus(top.times(padded.width).plus(left).times(4)));
      f.for(0, height, 1, () => {
        f.call(copyRow, { target, source, count: width });
        target.set(target.plus(padded.width.times(4)));
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
  const padded = paddedImages(images, padding, frame.temporary(paddedBytes(images, padding)));
  const { parts, planes } = partsOf(padded);
  frame.run(padTask, parts, { planes, images, padded, top, left });
  return padded;
}

/** Zeros around images so that they begin `top` and `left` further on and cover `size`. */
export function paddingTo(
  images: Images,
  { top, left }: { top: number; left: number },
  size: { height: number; width: number },
): Padding {
  return {
    top,
    left,
    bottom: Math.max(0, size.height - top - images.height),
    right: Math.max(0, size.width - left - images.width),
  };
}

/** Images with zeros around them, at an address of their own. */
function paddedImages(
  { count, channels, height, width }: Images,
  { top, bottom, left, right }: Padding,
  address: Address,
): Images {
  const size = { height: height + top + bottom, width: width + left + right };
  const stride = channels * size.height * size.width * 4;
  return { address, count, channels, ...size, stride };
}

function partsOf({ count, channels, height, width }: Images) {
  return planeParts(count * channels, height * width);
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
    planes: PLANES,
    images: IMAGES,
    y: 'address',
    padded: IMAGES,
    sums: 'address',
    top: 'i32',
    left: 'i32',
  },
  (f, { planes, images, padded, top, left, ...p }, { index }) => {
    forPlanes(f, planes, index, (plane) => {
      const { channels, height, width } = images;
      const paddedArea = padded.height.times(padded.width);
      const start = f.i32(
        plane
          .dividedBy(channels)
          .times(images.stride)
          .plus(plane.modulo(channels).times(height).times(width).times(4)),
      );
      const gradOut = f.i32(images.address.plus(start));
      const y = f.i32(p.y.plus(start));
      const target = f.i32(
        padded.address.plus(plane.times(padded.height).times(padded.width).times(4)),
      );
      const border = f.i32(paddedArea.minus(height.times(width)));
      f.if(border, () => f.call(fillRow, { target, count: paddedArea, value: 0 }));
      target.set(target.plus(top.times(padded.width).plus(left).times(4)));
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
        target.set(target.plus(padded.width.times(4)));
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
  y: Address,
  padding: Padding,
  { address, sums }: { address: Address; sums: Address },
): Images {
  const padded = paddedImages(gradOut, padding, address);
  const { parts, planes } = partsOf(padded);
  const { top, left } = padding;
  frame.run(maskTask, parts, { planes, images: gradOut, y, padded, sums, top, left });
  return padded;
}
