import { affine, type Geometry, tapsOf } from './geometry.ts';
import { type Dialect, defineProgram, type Program, quotient, readTexel } from './program.ts';

/** Enough threads to keep a GPU busy. */
const WANTED_THREADS = 65_536;

/** Texels of the gradient by the weights, laid out like packed weights. */
export function weightTexels({ inQuads, outQuads, window }: Geometry): [number, number, number] {
  return [tapsOf(window), 4 * inQuads, window.groups * outQuads];
}

/** In how many partial sums over images the gradient is computed. */
export function partialCount(
  geometry: Geometry,
  { maxTexels, maxPlanes }: { readonly maxTexels: number; readonly maxPlanes: number },
): number {
  const [taps, rows, quads] = weightTexels(geometry);
  const texels = taps * rows * quads;
  const wanted = Math.min(geometry.images, Math.ceil(WANTED_THREADS / texels));
  const most = Math.floor(Math.min(maxTexels / texels, maxPlanes / quads));
  return Math.max(1, Math.min(wanted, most));
}

/**
 * gw[o, i, kh, kw] = Σ x[n, i, …] · g[n, o, oh, ow], in `partials` sums over some images each, one
 * after the other in the result: sums stay short, and there are more of them than weights.
 */
export function weightGradProgram(dialect: Dialect, geometry: Geometry, partials: number): Program {
  const { images, height, width, inQuads, outQuads, window, gradQuads, firstGradQuad } = geometry;
  const { groups, kernelWidth, outHeight, outWidth, padding } = window;
  const [taps, rows, quads] = weightTexels(geometry);
  const imagesEach = Math.ceil(images / partials);
  return defineProgram('gradient of conv2d by its weights', {
    output: [taps, rows, quads * partials],
    parameters: { x: null, grad: null },
    body: `
    const partial = ${quotient('this.thread.z', quads)};
    const q = this.thread.z - partial * ${quads};
    const kh = ${quotient('this.thread.x', kernelWidth)};
    const kw = this.thread.x - kh * ${kernelWidth};
    const inside = ${quotient('this.thread.y', 4)};
    const lane = this.thread.y - inside * 4;
    const inQuad = ${groups === 1 ? 'inside' : `${quotient('q', outQuads)} * ${inQuads} + inside`};
    let s0 = 0.0; let s1 = 0.0; let s2 = 0.0; let s3 = 0.0;
    for (let k = 0; k < ${imagesEach}; k++) {
      const n = partial * ${imagesEach} + k;
      if (n < ${images}) {
        for (let oh = 0; oh < ${outHeight}; oh++) {
          const h = ${affine('oh', window.strideHeight, -padding.top)} + kh * ${window.dilationHeight};
          if (h >= 0 && h < ${height}) {
            let t0 = 0.0; let t1 = 0.0; let t2 = 0.0; let t3 = 0.0;
            for (let ow = 0; ow < ${outWidth}; ow++) {
              const w = ${affine('ow', window.strideWidth, -padding.left)} + kw * ${window.dilationWidth};
              if (w >= 0 && w < ${width}) {
                ${readTexel(dialect, 'v', 'x', `((n * ${groups * inQuads} + inQuad) * ${height} + h) * ${width} + w`)}
                ${readTexel(dialect, 'g', 'grad', `((n * ${gradQuads} + ${firstGradQuad} + q) * ${outHeight} + oh) * ${outWidth} + ow`)}
                let factor = v0;
                if (lane == 1) { factor = v1; }
                if (lane == 2) { factor = v2; }
                if (lane == 3) { factor = v3; }
                t0 += factor * g0; t1 += factor * g1; t2 += factor * g2; t3 += factor * g3;
              }
            }
            s0 += t0; s1 += t1; s2 += t2; s3 += t3;
          }
        }
      }
    }
    return [s0, s1, s2, s3];`,
  });
}

/**
 * Sums over pixels, for the gradient by the bias: `quads` of the `gradQuads` in texels [images,
 * gradQuads, H, W], from `firstGradQuad` on → [images, quads].
 */
export function pixelSumProgram(
  dialect: Dialect,
  { images, outQuads, window, gradQuads, firstGradQuad }: Geometry,
): Program {
  const { outHeight: height, outWidth: width } = window;
  const quads = window.groups * outQuads;
  return defineProgram('gradient of conv2d by its bias', {
    output: [quads, images, 1],
    parameters: { grad: null },
    body: `
    let s0 = 0.0; let s1 = 0.0; let s2 = 0.0; let s3 = 0.0;
    for (let h = 0; h < ${height}; h++) {
      let t0 = 0.0; let t1 = 0.0; let t2 = 0.0; let t3 = 0.0;
      for (let w = 0; w < ${width}; w++) {
        ${readTexel(dialect, 'g', 'grad', `((this.thread.y * ${gradQuads} + ${firstGradQuad} + this.thread.x) * ${height} + h) * ${width} + w`)}
        t0 += g0; t1 += g1; t2 += g2; t3 += g3;
      }
      s0 += t0; s1 += t1; s2 += t2; s3 += t3;
    }
    return [s0, s1, s2, s3];`,
  });
}
