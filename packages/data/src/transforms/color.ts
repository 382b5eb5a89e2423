import type { Image, PixelData } from '../core/image.ts';

// Colour arithmetic on [H, W, 3] images, red, green and blue: bytes as PIL's ImageEnhance to the bit,
// floats within 0 to 1 as torchvision's on tensors.

/** Grey levels of all pixels: bytes by integers of 16 bits as PIL's mode L, floats by their sum. */
function toGrey({ data }: Image): PixelData {
  const pixels = data.length / 3;
  if (data instanceof Uint8Array) {
    const grey = new Uint8Array(pixels);
    for (let i = 0, at = 0; i < pixels; i++, at += 3) {
      grey[i] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 0x8000) >> 16;
    }
    return grey;
  }
  const grey = new Float32Array(pixels);
  for (let i = 0, at = 0; i < pixels; i++, at += 3) {
    grey[i] = 0.2989 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  }
  return grey;
}

/**
 * `other + factor · (image − other)`, kept within what a pixel can be; a factor above 1 goes away
 * from `other`, whose value at element i is `other(i)`.
 */
function blend(image: Image, other: (element: number) => number, factor: number): Image {
  const { data: source } = image;
  if (source instanceof Uint8Array) {
    const data = new Uint8ClampedArray(source.length);
    // PIL computes in float32 and cuts the fraction off.
    const alpha = Math.fround(factor);
    for (let i = 0; i < data.length; i++) {
      const start = other(i);
      const step = Math.fround(alpha * (source[i] - start));
      data[i] = Math.trunc(Math.fround(start + step));
    }
    return { ...image, data: new Uint8Array(data.buffer) };
  }
  const data = new Float32Array(source.length);
  for (let i = 0; i < data.length; i++) {
    const start = other(i);
    data[i] = Math.min(Math.max(start + factor * (source[i] - start), 0), 1);
  }
  return { ...image, data };
}

/** Brightness: 0 is black, 1 changes nothing. */
export function adjustBrightness(image: Image, factor: number): Image {
  return blend(image, () => 0, factor);
}

/** Contrast: 0 is the mean grey level everywhere, 1 changes nothing. */
export function adjustContrast(image: Image, factor: number): Image {
  const grey = toGrey(image);
  let sum = 0;
  for (const level of grey) sum += level;
  const mean = sum / grey.length;
  const level = grey instanceof Uint8Array ? Math.floor(mean + 0.5) : mean;
  return blend(image, () => level, factor);
}

/** Saturation: 0 is grey, 1 changes nothing. */
export function adjustSaturation(image: Image, factor: number): Image {
  const grey = toGrey(image);
  return blend(image, (element) => grey[Math.floor(element / 3)], factor);
}

/** Sharpness: 0 is smoothed over 3 × 3 pixels (not at the border), 1 changes nothing. Bytes only. */
export function adjustSharpness(image: Image, factor: number): Image {
  const { data, height, width } = image;
  const smooth = data.slice();
  const row = width * 3;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + 3; at < (y + 1) * row - 3; at++) {
      let sum = 4 * data[at];
      for (const line of [at - row, at, at + row]) {
        sum += data[line - 3] + data[line] + data[line + 3];
      }
      smooth[at] = Math.floor(sum / 13 + 0.5);
    }
  }
  return blend(image, (element) => smooth[element], factor);
}

/** Replaces each byte of a channel by what the channel's table says. */
export function lookUpBytes(image: Image, tableOf: (channel: number) => ArrayLike<number>): Image {
  const { data: source, channels } = image;
  const data = new Uint8Array(source.length);
  for (let channel = 0; channel < channels; channel++) {
    const table = tableOf(channel);
    for (let at = channel; at < data.length; at += channels) data[at] = table[source[at]];
  }
  return { ...image, data };
}
