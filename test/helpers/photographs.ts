import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '@firelight/tensor';
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

/** A photograph, a binary PPM of 224 × 224, as `[1, 3, 224, 224]`; `scale` maps its bytes. */
export function readPhotograph(
  name: string,
  channels: readonly { readonly from: 'red' | 'green' | 'blue'; scale(byte: number): number }[],
): Tensor {
  const area = SIDE * SIDE;
  const path = sharedPath('images', '224', `${name}.ppm`) as string; // The caller's test is skipped.
  const pixels = readFileSync(path).subarray(-area * 3);
  const data = new Float32Array(area * channels.length);
  channels.forEach(({ from, scale }, channel) => {
    const source = ['red', 'green', 'blue'].indexOf(from);
    for (let i = 0; i < area; i++) data[channel * area + i] = scale(pixels[i * 3 + source]);
  });
  return tensor(data, { shape: [1, channels.length, SIDE, SIDE] });
}
