import type { Image } from '../core/image.ts';

type Triple = [number, number, number];

const clip = (x: number): number => Math.min(Math.max(Math.trunc(x), 0), 255);

/** Hue, saturation and value of one pixel as bytes, in float32 as PIL's mode HSV. */
function toHsv(red: number, green: number, blue: number): Triple {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most === least) return [0, 0, most];
  const range = most - least;
  const saturation = Math.fround(range / most);
  const share = (part: number): number => Math.fround((most - part) / range);
  const turn =
    red === most
      ? Math.fround(share(blue) - share(green))
      : green === most
        ? Math.fround(2 + share(red) - share(blue))
        : Math.fround(4 + share(green) - share(red));
  const hue = Math.fround((turn / 6 + 1) % 1);
  return [clip(hue * 255), clip(saturation * 255), most];
}

function toRgb(hue: number, saturation: number, value: number): Triple {
  if (saturation === 0) return [value, value, value];
  const s = Math.fround(saturation / 255);
  const sixth = Math.fround(Math.fround(hue * 6) / 255);
  const sector = Math.floor(sixth);
  const f = Math.fround(sixth - sector);
  const p = clip(Math.round(value * (1 - s)));
  const q = clip(Math.round(value * (1 - s * f)));
  const t = clip(Math.round(value * (1 - s * (1 - f))));
  const all: readonly Triple[] = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ];
  return all[sector % 6];
}

/**
 * Turns the hue of an `[H, W, 3]` image by `turn` of a whole circle, −0.5 to 0.5. Bytes go through
 * HSV of bytes, as PIL's do; floats within 0 to 1 are turned without that rounding.
 */
export function adjustHue(image: Image, turn: number): Image {
  const { data: source } = image;
  if (source instanceof Uint8Array) {
    const shift = Math.trunc(turn * 255) & 255;
    const data = new Uint8Array(source.length);
    for (let at = 0; at < data.length; at += 3) {
      const [hue, saturation, value] = toHsv(source[at], source[at + 1], source[at + 2]);
      data.set(toRgb((hue + shift) & 255, saturation, value), at);
    }
    return { ...image, data };
  }
  const data = new Float32Array(source.length);
  for (let at = 0; at < data.length; at += 3) turnFloats(source, data, at, turn);
  return { ...image, data };
}

/** The same in exact arithmetic: a pixel's largest and smallest value stay, its hue moves on. */
function turnFloats(source: Float32Array, data: Float32Array, at: number, turn: number): void {
  const [red, green, blue] = source.subarray(at, at + 3);
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  const sixths =
    range === 0
      ? 0
      : red === most
        ? (green - blue) / range
        : green === most
          ? 2 + (blue - red) / range
          : 4 + (red - green) / range;
  const hue = sixths + 6 * turn;
  // Each channel is a trapezoid over the circle of six sixths.
  for (const [channel, offset] of [5, 3, 1].entries()) {
    const place = (((offset + hue) % 6) + 6) % 6;
    data[at + channel] = most - range * Math.max(0, Math.min(place, 4 - place, 1));
  }
}
