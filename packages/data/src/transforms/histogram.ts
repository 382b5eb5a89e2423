import type { Image } from '../core/image.ts';

const IDENTITY: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte);

function histogram({ data, channels }: Image, channel: number): number[] {
  const counts = new Array<number>(256).fill(0);
  for (let at = channel; at < data.length; at += channels) counts[data[at]]++;
  return counts;
}

/** Stretches a channel from its darkest and lightest byte to 0 and 255, as PIL's `autocontrast`. */
export function autoContrastTable(image: Image, channel: number): readonly number[] {
  const counts = histogram(image, channel);
  const low = counts.findIndex((count) => count > 0);
  const high = counts.findLastIndex((count) => count > 0);
  if (high <= low) return IDENTITY;
  const scale = 255 / (high - low);
  const offset = -low * scale;
  return IDENTITY.map((byte) => Math.min(Math.max(Math.trunc(byte * scale + offset), 0), 255));
}

/** Makes all bytes of a channel about equally frequent, as PIL's `equalize`. */
export function equalizeTable(image: Image, channel: number): readonly number[] {
  const counts = histogram(image, channel);
  const used = counts.filter((count) => count > 0);
  const step = Math.floor((used.reduce((a, b) => a + b, 0) - used[used.length - 1]) / 255);
  if (used.length <= 1 || step === 0) return IDENTITY;
  let below = Math.floor(step / 2);
  return counts.map((count) => {
    const level = Math.floor(below / step);
    below += count;
    return Math.min(level, 255);
  });
}
