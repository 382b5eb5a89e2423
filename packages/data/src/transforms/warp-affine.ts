import { type Image, zerosLike } from '../core/image.ts';
import type { Interpolation } from './interpolation.ts';
import { roundHalfToEven } from './round.ts';

/** Where each output pixel is looked up: x = a·u + b·v + c, y = d·u + e·v + f for column u, row v. */
export type AffineMap = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** OpenCV counts positions in units of 1/1024 of a pixel, and fractions in 1/32. */
const POSITION_BITS = 10;
const POSITION_ONE = 1 << POSITION_BITS;
const FRACTION_BITS = 5;
const FRACTION_ONE = 1 << FRACTION_BITS;
/** Weights of the four neighbours are products of two fractions. */
const WEIGHT_BITS = 2 * FRACTION_BITS;

/** The map of a turn by `degrees` (counter-clockwise) around the middle of the image. */
export function rotationMap({ height, width }: Image, degrees: number): AffineMap {
  // Forward matrix as in OpenCV's getRotationMatrix2D, then its inverse as in warpAffine: the order
  // of the operations decides the last bit, and with it some pixels.
  const angle = (degrees * Math.PI) / 180;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const x = (width - 1) / 2;
  const y = (height - 1) / 2;
  const forward = [cos, sin, (1 - cos) * x - sin * y, -sin, cos, sin * x + (1 - cos) * y];
  const scale = 1 / (forward[0] * forward[4] - forward[1] * forward[3]);
  const a = forward[4] * scale;
  const e = forward[0] * scale;
  const b = forward[1] * -scale;
  const d = forward[3] * -scale;
  return [a, b, -a * forward[2] - b * forward[5], d, e, -d * forward[2] - e * forward[5]];
}

/**
 * Looks every pixel up where `map` says, in an `[H, W, C]` image; outside of it there is `fill`.
 * Bytes come out as of `cv::warpAffine` with `WARP_INVERSE_MAP` and a constant border, bit for bit.
 */
export function warpAffine(
  image: Image,
  map: AffineMap,
  { interpolation, fill }: { readonly interpolation: Interpolation; readonly fill: number },
): Image {
  const { data: source, height, width, channels } = image;
  const data = zerosLike(source, source.length);
  const isLinear = interpolation === 'linear';
  const shift = isLinear ? POSITION_BITS - FRACTION_BITS : POSITION_BITS;
  const half = 1 << (shift - 1);
  const [a, b, c, d, e, f] = map;
  const inX = (factor: number): Int32Array =>
    Int32Array.from({ length: width }, (_, u) => roundHalfToEven(factor * u * POSITION_ONE));
  const xOfColumn = inX(a);
  const yOfColumn = inX(d);
  const pick = (x: number, y: number, channel: number): number =>
    x >= 0 && x < width && y >= 0 && y < height
      ? source[(y * width + x) * channels + channel]
      : fill;
  // Bytes are rounded as integers of 10 bits; OpenCV's have 15, which are these times 32.
  const isBytes = source instanceof Uint8Array;
  const rounding = isBytes ? 1 << (WEIGHT_BITS - 1) : 0;

  for (let v = 0, at = 0; v < height; v++) {
    const xOfRow = roundHalfToEven((b * v + c) * POSITION_ONE) + half;
    const yOfRow = roundHalfToEven((e * v + f) * POSITION_ONE) + half;
    for (let u = 0; u < width; u++) {
      const x = (xOfRow + xOfColumn[u]) >> shift;
      const y = (yOfRow + yOfColumn[u]) >> shift;
      if (!isLinear) {
        for (let channel = 0; channel < channels; channel++) data[at++] = pick(x, y, channel);
        continue;
      }
      const left = x >> FRACTION_BITS;
      const top = y >> FRACTION_BITS;
      const s = x & (FRACTION_ONE - 1);
      const t = y & (FRACTION_ONE - 1);
      for (let channel = 0; channel < channels; channel++) {
        const above =
          pick(left, top, channel) * (FRACTION_ONE - s) + pick(left + 1, top, channel) * s;
        const below =
          pick(left, top + 1, channel) * (FRACTION_ONE - s) + pick(left + 1, top + 1, channel) * s;
        const sum = above * (FRACTION_ONE - t) + below * t;
        data[at++] = isBytes ? (sum + rounding) >> WEIGHT_BITS : sum / (1 << WEIGHT_BITS);
      }
    }
  }
  return { ...image, data };
}
