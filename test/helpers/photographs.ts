import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tensor, tensor } from '@firelight/tensor';
import { encodePng } from './png.ts';
import { sharedPath } from './shared.ts';

/** ImageNet's classes that are right for each photograph of `../shared/images/224`. */
export const PHOTOGRAPHS: Readonly<Record<string, readonly number[]>> = {
  'cat-face': [281, 282, 285],
  'cat-portrait': [281, 282, 285],
  elephant: [386, 101, 385],
  labrador: [208, 207],
  pizza: [963],
  puppy: [258, 259, 279],
  'sports-car': [817, 751],
  tabby: [281, 282, 285],
};

const SIDE = 224;

/** The bytes of a photograph, which is there as a binary PPM of 224 × 224. */
function pixelsOf(name: string): Uint8Array {
  const path = sharedPath('images', '224', `${name}.ppm`) as string; // The caller's test is skipped.
  return readFileSync(path).subarray(-SIDE * SIDE * 3);
}

/** The photographs as files of JPEG or PNG; one of them is written into `folder`, as it is no JPEG. */
export function photographFiles(folder: string): string[] {
  return Object.keys(PHOTOGRAPHS).map((name) => {
    const jpeg = sharedPath('images', `${name}.jpg`);
    if (jpeg !== null) return jpeg;
    const path = join(folder, `${name}.png`);
    writeFileSync(path, encodePng({ data: pixelsOf(name), width: SIDE, height: SIDE }));
    return path;
  });
}

/** A photograph, a binary PPM of 224 × 224, as `[1, 3, 224, 224]`; `scale` maps its bytes. */
export function readPhotograph(
  name: string,
  channels: readonly { readonly from: 'red' | 'green' | 'blue'; scale(byte: number): number }[],
): Tensor {
  const area = SIDE * SIDE;
  const pixels = pixelsOf(name);
  const data = new Float32Array(area * channels.length);
  channels.forEach(({ from, scale }, channel) => {
    const source = ['red', 'green', 'blue'].indexOf(from);
    for (let i = 0; i < area; i++) data[channel * area + i] = scale(pixels[i * 3 + source]);
  });
  return tensor(data, { shape: [1, channels.length, SIDE, SIDE] });
}
