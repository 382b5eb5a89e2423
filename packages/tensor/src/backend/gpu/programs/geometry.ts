import type { Conv2dWindow } from '../../../core/window.ts';
import { type Dialect, readTexel } from './program.ts';

/** One convolution on the device: a branch of the output, with its places in the textures. */
export interface Geometry {
  readonly images: number;
  /** Texels of x are [images, inQuads · groups, height, width]. */
  readonly height: number;
  readonly width: number;
  /** Input channels of each group, and the quads that they take. */
  readonly inChannels: number;
  readonly inQuads: number;
  /** Output channels of each group, and the quads that they take. */
  readonly outChannels: number;
  readonly outQuads: number;
  readonly window: Conv2dWindow;
  /** Quads of the gradient by the output, which may hold other branches too… */
  readonly gradQuads: number;
  /** …and the first of this branch in it. */
  readonly firstGradQuad: number;
}

export function tapsOf({ kernelHeight, kernelWidth }: Conv2dWindow): number {
  return kernelHeight * kernelWidth;
}

/** The expression `factor · name + offset`, short where it can be. */
export function affine(name: string, factor: number, offset: number): string {
  const product = factor === 1 ? name : `${name} * ${factor}`;
  if (offset === 0) return product;
  return offset > 0 ? `${product} + ${offset}` : `${product} - ${-offset}`;
}

/**
 * Statements that read the packed weights of tap (`kh`, `kw`): of the four input channels of a quad
 * `wa`, `wb`, `wc` and `wd`, each for the four outputs of a quad.
 *
 * @param outQuad the expression for the output's quad, among those of all groups
 * @param inQuad the expression for the input's quad in its group
 */
export function readWeights(
  dialect: Dialect,
  { inQuads, window }: Geometry,
  outQuad: string,
  inQuad: string,
): string {
  const taps = tapsOf(window);
  const reads = ['a', 'b', 'c', 'd'].map((row, lane) =>
    readTexel(dialect, `w${row}`, 'weight', `tap + ${lane * taps}`),
  );
  const first = `(${outQuad} * ${4 * inQuads} + 4 * ${inQuad}) * ${taps}`;
  return `const tap = ${first} + kh * ${window.kernelWidth} + kw; ${reads.join(' ')}`;
}
