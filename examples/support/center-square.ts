import type { Image } from '@firelight/data';

/** The largest square in the middle of an image `[H, W, C]` of bytes. */
export function centerSquare(image: Image): Image {
  const { height, width, channels, data } = image;
  const side = Math.min(height, width);
  const [top, left] = [(height - side) >> 1, (width - side) >> 1];
  const square = new Uint8Array(side * side * channels);
  for (let row = 0; row < side; row++) {
    const start = ((top + row) * width + left) * channels;
    square.set(data.subarray(start, start + side * channels), row * side * channels);
  }
  return { ...image, data: square, height: side, width: side };
}
