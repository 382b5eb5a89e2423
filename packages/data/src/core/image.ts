import { ShapeError } from '@firelight/tensor';
import { describeValue, newTypedArray } from '@firelight/tensor/extend';

/** Order of an image's axes: channels last (as files and OpenCV) or first (as networks). */
export type ImageLayout = 'HWC' | 'CHW';

/** Elements of an image: bytes 0 to 255, or floats. */
export type PixelData = Uint8Array | Float32Array;

/** One image in row-major order: `[H, W, C]` or `[C, H, W]`. */
export interface Image {
  readonly data: PixelData;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly layout: ImageLayout;
}

/** `[32, 32, 3] as HWC`: the shape of an image as error messages print it. */
export function describeImage({ height, width, channels, layout }: Image): string {
  const shape = layout === 'HWC' ? [height, width, channels] : [channels, height, width];
  return `[${shape.map(describeValue).join(', ')}] as ${layout}`;
}

/**
 * Checks that it is an image, that its sides are whole numbers ≥ 1 and that the data has as many elements as they say.
 *
 * @throws ShapeError where it has not
 */
export function checkImage(op: string, image: Image): void {
  const isPixels = image?.data instanceof Uint8Array || image?.data instanceof Float32Array;
  if (!isPixels || (image.layout !== 'HWC' && image.layout !== 'CHW')) {
    throw new ShapeError(
      `${op}: an image must have data in a Uint8Array or Float32Array, and layout 'HWC' or 'CHW'`,
    );
  }
  const { data, height, width, channels } = image;
  const sides = [height, width, channels];
  if (!sides.every((side) => Number.isInteger(side) && side >= 1)) {
    throw new ShapeError(
      `${op}: height, width and channels of an image must be integers ≥ 1, got ${describeImage(image)}`,
    );
  }
  if (data.length !== height * width * channels) {
    throw new ShapeError(
      `${op}: an image ${describeImage(image)} needs ${height * width * channels} elements, ` +
        `its data has ${data.length}`,
    );
  }
}

/** Zeros of the same kind as `data`. */
export function zerosLike(data: PixelData, length: number): PixelData {
  return newTypedArray(data instanceof Uint8Array ? 'uint8' : 'float32', length);
}

/**
 * Checks an image that must be `[H, W, C]`.
 *
 * @throws ShapeError if it is `[C, H, W]`, or its data has another length
 */
export function checkInterleaved(op: string, image: Image): void {
  if (image?.layout === 'CHW') {
    throw new ShapeError(
      `${op}: the image must be [H, W, C], got ${describeImage(image)}; put ${op} before HWC2CHW`,
    );
  }
  checkImage(op, image);
}

/**
 * Checks an image that must be red, green and blue, `[H, W, 3]`.
 *
 * @throws ShapeError if it is not
 */
export function checkColors(op: string, image: Image): void {
  checkInterleaved(op, image);
  if (image.channels !== 3) {
    throw new ShapeError(`${op}: the image must have 3 channels, got ${describeImage(image)}`);
  }
}
