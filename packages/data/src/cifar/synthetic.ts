import { Generator } from '@firelight/tensor';
import { expectInteger, newTypedArray } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { CIFAR_IMAGE_BYTES, CIFAR_RECORD_BYTES, CIFAR_SIDE, CIFAR10_CLASSES } from './constants.ts';

/** How much of the pattern's colour is at a point, 0 to 1; the shapes lie within −1 to 1. */
type Pattern = (u: number, v: number) => number;

const DIAGONAL = Math.SQRT1_2;
const STRIPES_PER_UNIT = 1.4;
const LINE_WIDTH = 0.22;

// No sine, hypotenuse or normal noise: their last bits may differ between engines.
/** Triangle wave of period 1 from 0 to 1. */
const wave = (x: number): number => 2 * Math.abs(x - Math.floor(x) - 0.5);
const stripes = (x: number): number => wave(x * STRIPES_PER_UNIT);
const radius = (u: number, v: number): number => Math.sqrt(u * u + v * v);
const when = (condition: boolean): number => (condition ? 1 : 0);

/** One pattern for each of the ten labels; they have nothing to do with CIFAR's class names. */
const PATTERNS: readonly Pattern[] = [
  (u) => stripes(u),
  (_, v) => stripes(v),
  (u, v) => stripes((u + v) * DIAGONAL),
  (u, v) => stripes((u - v) * DIAGONAL),
  (u, v) => when(stripes(u) > 0.5 !== stripes(v) > 0.5),
  (u, v) => when(radius(u, v) < 0.84),
  (u, v) => when(Math.abs(radius(u, v) - 0.8) < LINE_WIDTH),
  (u, v) => when(Math.abs(Math.max(Math.abs(u), Math.abs(v)) - 0.75) < LINE_WIDTH),
  (u, v) => when(Math.min(Math.abs(u), Math.abs(v)) < LINE_WIDTH && radius(u, v) < 1.1),
  (u, v) => when(Math.abs(Math.abs(u) - Math.abs(v)) < LINE_WIDTH / DIAGONAL && radius(u, v) < 1.1),
];

/**
 * A made-up data set in CIFAR-10's binary format, for machines without data and network: it is not
 * CIFAR-10, and an accuracy on it says nothing about photographs.
 *
 * Ten patterns (stripes in four directions, chequers, disc, ring, square, upright and diagonal
 * cross) of random colours, place and size, under noise, so colour alone hardly tells which class it
 * is. Labels are balanced over every ten images. A longer set begins with the shorter one of the
 * same seed; take another seed for the test set.
 *
 * @returns `count` records of 3073 bytes
 * @throws ValueError if `count` is not an integer ≥ 1, or memory does not hold so many
 */
export function syntheticCifar10(options: {
  readonly count: number;
  readonly seed: number;
}): Uint8Array {
  const { count, seed } = expectOptions('syntheticCifar10', options);
  expectInteger('syntheticCifar10', 'count', count, 1);
  const generator = new Generator(seed);
  const bytes = newTypedArray('uint8', count * CIFAR_RECORD_BYTES);
  let labels: Uint32Array = new Uint32Array(0);
  for (let record = 0; record < count; record++) {
    const place = record % PATTERNS.length;
    if (place === 0) labels = generator.permutation(CIFAR10_CLASSES.length);
    const start = record * CIFAR_RECORD_BYTES;
    bytes[start] = labels[place];
    draw(PATTERNS[labels[place]], generator, bytes.subarray(start + 1, start + CIFAR_RECORD_BYTES));
  }
  return bytes;
}

/** Fills the 3072 bytes of one image. */
function draw(pattern: Pattern, generator: Generator, planes: Uint8Array): void {
  const [centreX, centreY] = generator.uniform(2, { low: 11, high: 21 });
  const [size] = generator.uniform(1, { low: 9, high: 14 });
  const isLightOnDark = generator.integer(2) === 1;
  const dark = generator.uniform(3, { low: 20, high: 120 });
  const light = generator.uniform(3, { low: 135, high: 235 });
  const [ground, figure] = isLightOnDark ? [dark, light] : [light, dark];
  const noise = new Uint8Array(generator.words(CIFAR_IMAGE_BYTES / 4).buffer);
  const plane = CIFAR_SIDE * CIFAR_SIDE;
  for (let y = 0, at = 0; y < CIFAR_SIDE; y++) {
    for (let x = 0; x < CIFAR_SIDE; x++, at++) {
      const cover = pattern((x - centreX) / size, (y - centreY) / size);
      for (let channel = 0; channel < 3; channel++) {
        const clean = ground[channel] + (figure[channel] - ground[channel]) * cover;
        const noisy = Math.round(clean + (noise[channel * plane + at] - 127.5) * 0.3);
        planes[channel * plane + at] = Math.min(Math.max(noisy, 0), 255);
      }
    }
  }
}
