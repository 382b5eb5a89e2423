import { affine, type Geometry, readWeights } from './geometry.ts';
import {
  clearEmptyLanes,
  type Dialect,
  defineProgram,
  type Program,
  quotient,
  readTexel,
} from './program.ts';

/**
 * y[n, o, oh, ow] = bias[o] + Σ x[n, i, oh · s + kh · d − top, ow · s + kw · d − left] ·
 * weight[o, i, kh, kw], for four output channels a thread; sixteen products for five reads.
 */
export function forwardProgram(
  dialect: Dialect,
  geometry: Geometry,
  { hasBias, relu }: { readonly hasBias: boolean; readonly relu: boolean },
): Program {
  const { images, height, width, inQuads, outChannels, outQuads, window } = geometry;
  const { groups, kernelHeight, kernelWidth, outHeight, outWidth, padding } = window;
  const quads = groups * outQuads;
  const products = [0, 1, 2, 3].map(
    (lane) => `t${lane} += v0 * wa${lane} + v1 * wb${lane} + v2 * wc${lane} + v3 * wd${lane};`,
  );
  const start = hasBias
    ? `${readTexel(dialect, 'b', 'bias', 'q')}
    let s0 = b0; let s1 = b1; let s2 = b2; let s3 = b3;`
    : 'let s0 = 0.0; let s1 = 0.0; let s2 = 0.0; let s3 = 0.0;';
  const result = [0, 1, 2, 3].map((lane) => (relu ? positivePart(`s${lane}`) : `s${lane}`));
  return defineProgram('conv2d', {
    output: [outWidth, outHeight, images * quads],
    parameters: { x: null, weight: null, ...(hasBias && { bias: null }) },
    // Sums are taken quad by quad and then added: shorter sums, smaller errors.
    body: `
    const n = ${quotient('this.thread.z', quads)};
    const q = this.thread.z - n * ${quads};
    const group = ${quotient('q', outQuads)};
    const firstQuad = n * ${groups * inQuads} + group * ${inQuads};
    ${start}
    for (let i = 0; i < ${inQuads}; i++) {
      let t0 = 0.0; let t1 = 0.0; let t2 = 0.0; let t3 = 0.0;
      for (let kh = 0; kh < ${kernelHeight}; kh++) {
        const h = ${affine('this.thread.y', window.strideHeight, -padding.top)} + kh * ${window.dilationHeight};
        if (h >= 0 && h < ${height}) {
          for (let kw = 0; kw < ${kernelWidth}; kw++) {
            const w = ${affine('this.thread.x', window.strideWidth, -padding.left)} + kw * ${window.dilationWidth};
            if (w >= 0 && w < ${width}) {
              ${readTexel(dialect, 'v', 'x', `((firstQuad + i) * ${height} + h) * ${width} + w`)}
              ${readWeights(dialect, geometry, 'q', 'i')}
              ${products.join('\n              ')}
            }
          }
        }
      }
      s0 += t0; s1 += t1; s2 += t2; s3 += t3;
    }
    ${clearEmptyLanes(outChannels, `(q - group * ${outQuads})`)}
    return [${result.join(', ')}];`,
  });
}

/**
 * max(0, x) that lets NaN through, so that a training that fails is noticed. A GPU's own maximum
 * drops it, and compilers make one of a plain comparison too.
 */
function positivePart(x: string): string {
  return `(${x} < -3.0e38 ? 0.0 : ${x} - Math.min(${x}, 0.0))`;
}
