import { affine, type Geometry, readWeights } from './geometry.ts';
import {
  clearEmptyLanes,
  type Dialect,
  defineProgram,
  type Program,
  quotient,
  readTexel,
} from './program.ts';

/** Statements that find the output whose tap `k` lies on input `position`, and whether there is one. */
function outputOf(
  name: string,
  position: string,
  {
    stride,
    dilation,
    before,
    count,
  }: Readonly<Record<'stride' | 'dilation' | 'before' | 'count', number>>,
): { declaration: string; exists: string } {
  const distance = `${name}Distance`;
  const declaration = `const ${distance} = ${affine(position, 1, before)} - k${name} * ${dilation};
        const o${name} = ${quotient(distance, stride)};`;
  const isWhole = stride === 1 ? '' : ` && o${name} * ${stride} == ${distance}`;
  return { declaration, exists: `${distance} >= 0 && o${name} < ${count}${isWhole}` };
}

/** gx[n, i, h, w] = Σ g[n, o, oh, ow] · weight[o, i, kh, kw] over all outputs that saw that pixel. */
export function inputGradProgram(dialect: Dialect, geometry: Geometry): Program {
  const { images, height, width, inChannels, inQuads, outQuads, window } = geometry;
  const { gradQuads, firstGradQuad } = geometry;
  const { groups, kernelHeight, kernelWidth, outHeight, outWidth, padding } = window;
  const quads = groups * inQuads;
  const row = outputOf('h', 'this.thread.y', {
    stride: window.strideHeight,
    dilation: window.dilationHeight,
    before: padding.top,
    count: outHeight,
  });
  const column = outputOf('w', 'this.thread.x', {
    stride: window.strideWidth,
    dilation: window.dilationWidth,
    before: padding.left,
    count: outWidth,
  });
  const products = ['a', 'b', 'c', 'd'].map(
    (name, lane) =>
      `t${lane} += g0 * w${name}0 + g1 * w${name}1 + g2 * w${name}2 + g3 * w${name}3;`,
  );
  return defineProgram('gradient of conv2d by its input', {
    output: [width, height, images * quads],
    parameters: { grad: null, weight: null },
    body: `
    const n = ${quotient('this.thread.z', quads)};
    const q = this.thread.z - n * ${quads};
    const group = ${quotient('q', inQuads)};
    const inside = q - group * ${inQuads};
    let s0 = 0.0; let s1 = 0.0; let s2 = 0.0; let s3 = 0.0;
    for (let o = 0; o < ${outQuads}; o++) {
      const outQuad = group * ${outQuads} + o;
      let t0 = 0.0; let t1 = 0.0; let t2 = 0.0; let t3 = 0.0;
      for (let kh = 0; kh < ${kernelHeight}; kh++) {
        ${row.declaration}
        if (${row.exists}) {
          for (let kw = 0; kw < ${kernelWidth}; kw++) {
            ${column.declaration}
            if (${column.exists}) {
              ${readTexel(dialect, 'g', 'grad', `((n * ${gradQuads} + ${firstGradQuad} + outQuad) * ${outHeight} + oh) * ${outWidth} + ow`)}
              ${readWeights(dialect, geometry, 'outQuad', 'inside')}
              ${products.join('\n              ')}
            }
          }
        }
      }
      s0 += t0; s1 += t1; s2 += t2; s3 += t3;
    }
    ${clearEmptyLanes(inChannels, 'inside')}
    return [s0, s1, s2, s3];`,
  });
}
