import { ShapeError } from '@firelight/tensor';

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
  return `[${shape.join(', ')}] as ${layout}`;
}

/**
 * Checks that the sides are whole numbers ≥ 1 and that the data has as many elements as they say.
 *
 * @throws ShapeError where it has not
 */
export function checkImage(op: string, image: Image): void {
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
