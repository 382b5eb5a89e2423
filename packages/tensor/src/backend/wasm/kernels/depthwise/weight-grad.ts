import { loadF64x2, loadFloats } from '../../assembler/loads.ts';
import { f64, type I32 } from '../../assembler/scalars.ts';
import { type Address, addressAfter, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { IMAGES, type Images } from '../images/images.ts';
import { COLLECTED_VECTORS, LongSum } from '../lanes/long-sum.ts';
import { countFrom, endOf, partRange } from '../loops/part-range.ts';
import { fillRow } from '../loops/rows.ts';
import { sumArrays } from '../reduce/sum-arrays.ts';
import {
  type Geometry,
  mostChannels,
  PHASE_WORDS,
  PRODUCTS_BYTES,
  roundedUp,
  SUM_BYTES,
  TAP_WORDS,
  TAPS,
} from './geometry.ts';
import { copyPieces, PIECES } from './pieces.ts';
import { addProducts, addProductsOfRows } from './products.ts';

/** Parts that are enough for all threads; with fewer channels, images are dealt out too. */
const ENOUGH_PARTS = 16;

/** Some channels' gradients from some of the images, plane after plane as they lie in memory, strip by strip. */
const weightGradTask = defineTask(
  'depthwiseWeightGrad',
  {
    x: IMAGES,
    gradOut: IMAGES,
    y: 'address',
    /** Channels of the output that belong to one of the input. */
    multiplier: 'i32',
    pieces: PIECES,
    pieceBytes: 'bytes',
    taps: 'address',
    tapCount: 'i32',
    tapGroups: 'i32',
    /** Elements from one row of the gradient to the next, in this thread's memory. */
    gradPitch: 'i32',
    isSquare: 'flag',
    rowsOfStrip: 'i32',
    imagesOfPart: 'i32',
    channelsOfPart: 'i32',
    /** Parts of the channels. */
    channelParts: 'i32',
    /** [part of the images, channel, tap], float32. */
    target: 'address',
    /** The gradient's sums over planes, [image, channel], float64; see below. */
    planeSums: 'address',
  },
  (f, p, { index, scratch }) => {
    const { x, gradOut, pieces, rowsOfStrip } = p;
    const { channels } = gradOut;
    const block = f.i32(index.dividedBy(p.channelParts));
    const images = partRange(f, block, p.imagesOfPart, gradOut.count);
    const ofPart = partRange(f, index.modulo(p.channelParts), p.channelsOfPart, channels);
    const sumBytes = f.i32(p.tapGroups.times(TAPS * SUM_BYTES));
    const allSums = f.i32(p.channelsOfPart.times(sumBytes));
    const sums = f.i32();
    const products = f.i32(scratch.plus(allSums));
    const pixels = f.i32(products.plus(PRODUCTS_BYTES));
    const copied = f.i32(pixels.plus(p.pieceBytes));
    const gradient = f.i32();
    const sum = new LongSum(f);
    const value = f.f32x8();
    /** Vectors may reach over the end, where there are zeros. */
    const addUp = (sum: LongSum, start: I32, length: I32): void => {
      const at = f.i32(start);
      const until = f.i32(at.plus(length.times(4)));
      f.while(at.lessThan(until), () => {
        const next = endOf(f, at, COLLECTED_VECTORS * 32, until);
        f.doWhile(() => {
          value.set(loadFloats(at, 0, 8));
          sum.collect(value);
          at.set(at.plus(32));
        }, at.lessThan(next));
        sum.flush();
      });
    };
    f.call(fillRow, { target: scratch, count: allSums.dividedBy(4), value: 0 });
    // Where planes are not cut, the zeros around them are at the same places for all.
    const isNew = f.i32(1);
    const isPixel = f.i32();
    const isCut = f.i32(rowsOfStrip.lessThan(gradOut.height));
    const gradBytes = f.i32(p.gradPitch.times(4));
    const imageBytes = f.i32(pieces.rows.times(pieces.pitch).times(4));
    f.for(images.first, images.end, pieces.images, (image) => {
      const count = countFrom(f, image, pieces.images, images.end);
      // Beyond the last image there are others, which vectors may reach.
      f.if(count.lessThan(pieces.images), () => isNew.set(1));
      sums.set(scratch);
      f.for(ofPart.first, ofPart.end, 1, (channel) => {
        sum.clear();
        const xPlane = f.i32(
          x.address
            .plus(image.times(x.stride))
            .plus(channel.dividedBy(p.multiplier).times(x.height).times(x.width).times(4)),
        );
        const start = f.i32(
          image
            .times(gradOut.stride)
            .plus(channel.times(gradOut.height).times(gradOut.width).times(4)),
        );
        const gradPlane = f.i32(gradOut.address.plus(start));
        const y = f.i32(0);
        f.if(p.y, () => y.set(p.y.plus(start)));
        const isDirect = f.i32(p.isSquare.and(gradOut.width.equals(p.gradPitch)).and(y.isZero()));
        f.for(0, gradOut.height, rowsOfStrip, (firstRow) => {
          const endRow = endOf(f, firstRow, rowsOfStrip, gradOut.height);
          const rows = f.i32(endRow.minus(firstRow));
          f.call(copyPieces, {
            source: xPlane,
            y: f.i32(0),
            imageStride: x.stride,
            images: count,
            height: x.height,
            width: x.width,
            firstRow: firstRow.times(pieces.strideHeight).minus(pieces.top),
            pieces,
            target: pixels,
            isNew,
          });
          const gradImageBytes = f.i32(gradOut.stride);
          f.if(
            isDirect,
            () => gradient.set(gradPlane.plus(firstRow.times(gradOut.width).times(4))),
            () => {
              gradient.set(copied);
              gradImageBytes.set(pieces.rows.times(gradBytes));
              f.call(copyPieces, {
                source: gradPlane,
                y,
                imageStride: gradOut.stride,
                images: count,
                height: endRow,
                width: gradOut.width,
                firstRow,
                pieces: {
                  top: f.i32(0),
                  left: f.i32(0),
                  images: pieces.images,
                  rows: pieces.rows,
                  pitch: p.gradPitch,
                  strideHeight: f.i32(1),
                  strideWidth: f.i32(1),
                },
                target: copied,
                isNew,
              });
            },
          );
          f.if(isNew, () => {
            // Vectors may reach over the last row.
            const area = f.i32(pieces.images.times(pieces.rows).times(p.gradPitch));
            const end = f.i32(copied.plus(area.times(4)));
            f.call(fillRow, { target: end, count: 8, value: 0 });
            isPixel.set(end.plus(32));
            f.if(
              p.isSquare,
              () => {
                f.call(fillRow, { target: isPixel, count: 8, value: 0 });
                f.call(fillRow, { target: isPixel, count: gradOut.width.modulo(8), value: 1 });
              },
              () => {
                f.call(fillRow, { target: isPixel, count: area.plus(8), value: 0 });
                const ofImage = f.i32(isPixel);
                f.for(0, count, 1, () => {
                  f.for(0, rows, 1, (row) => {
                    const target = ofImage.plus(row.times(gradBytes));
                    f.call(fillRow, { target, count: gradOut.width, value: 1 });
                  });
                  ofImage.set(ofImage.plus(imageBytes));
                });
              },
            );
          });
          isNew.set(isCut);
          const values = { x: pixels, g: gradient, isPixel, products };
          const length = f.i32(rows.minus(1).times(p.gradPitch).plus(gradOut.width));
          f.if(
            p.isSquare,
            () => {
              const pixelsOfImage = f.i32(pixels);
              f.for(0, count, 1, () => {
                f.call(addProductsOfRows, {
                  ...values,
                  x: pixelsOfImage,
                  xStride: pieces.pitch.times(4),
                  gStride: gradBytes,
                  columns: gradOut.width,
                  rows,
                  sums,
                });
                pixelsOfImage.set(pixelsOfImage.plus(imageBytes));
                addUp(sum, gradient, length);
                gradient.set(gradient.plus(gradImageBytes));
              });
            },
            () => {
              length.set(length.plus(count.minus(1).times(pieces.rows).times(pieces.pitch)));
              const taps = f.i32(p.taps);
              const sumsHere = f.i32(sums);
              f.for(0, p.tapGroups, 1, () => {
                f.call(addProducts, { ...values, count: length, taps, sums: sumsHere });
                taps.set(taps.plus(TAPS * TAP_WORDS * 4));
                sumsHere.set(sumsHere.plus(TAPS * SUM_BYTES));
              });
              addUp(sum, gradient, length);
            },
          );
        });
        const sumOfImage = f.i32(p.planeSums.plus(image.times(channels).plus(channel).times(8)));
        f.store(sumOfImage, sum.total);
        f.for(1, count, 1, () => {
          sumOfImage.set(sumOfImage.plus(channels.times(8)));
          f.store(sumOfImage, f64(0));
        });
        sums.set(sums.plus(sumBytes));
      });
    });
    const target = f.i32(
      p.target.plus(block.times(channels).plus(ofPart.first).times(p.tapCount).times(4)),
    );
    sums.set(scratch);
    f.for(ofPart.first, ofPart.end, 1, () => {
      const at = f.i32(sums);
      f.for(0, p.tapCount, 1, () => {
        const both = f.f64x2(loadF64x2(at).plus(loadF64x2(at, 16)));
        f.store(target, both.lane(0).plus(both.lane(1)).toF32());
        target.set(target.plus(4));
        at.set(at.plus(SUM_BYTES));
      });
      sums.set(sums.plus(sumBytes));
    });
  },
);

/**
 * gw ← Σ over all pixels of gy · x.
 *
 * @param y the output of a ReLU by which `gradOut` is the gradient; null where there was none
 * @returns the gradient's sums over planes, [N, channels], float64; those of planes that are computed at
 *   once stand with the first of them, and 0 with the others
 */
export function weightGrad(
  frame: Frame,
  { pieces, strips, bytes, taps, isSquare }: Geometry,
  {
    x,
    gradOut,
    y,
    tapCount,
    target,
  }: { x: Images; gradOut: Images; y: Address | null; tapCount: number; target: Address },
): Address {
  const { count: images, channels } = gradOut;
  const planeSums = frame.temporary(images * channels * 8);
  const channelsOfPart = Math.min(mostChannels(tapCount), Math.ceil(channels / ENOUGH_PARTS));
  const channelParts = Math.ceil(channels / channelsOfPart);
  const imagesOfPart = Math.max(1, Math.ceil(images / Math.ceil(ENOUGH_PARTS / channelParts)));
  const arrays = Math.max(1, Math.ceil(images / imagesOfPart)); // Without images it is 0.
  const count = channels * tapCount;
  const source = arrays === 1 ? target : frame.temporary(arrays * count * 4);
  frame.run(weightGradTask, arrays * channelParts, {
    x,
    gradOut,
    y: y ?? NOWHERE,
    multiplier: channels / x.channels,
    pieces,
    pieceBytes: bytes,
    taps: addressAfter(taps, PHASE_WORDS * 4),
    tapCount,
    tapGroups: Math.ceil(tapCount / TAPS),
    gradPitch: isSquare ? roundedUp(gradOut.width) : pieces.pitch,
    isSquare,
    rowsOfStrip: strips.ofStrip,
    imagesOfPart,
    channelsOfPart,
    channelParts,
    target: source,
    planeSums,
  });
  if (arrays > 1) sumArrays(frame, { source, arrays, count, target });
  return planeSums;
}
