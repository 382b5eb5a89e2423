import { type ChannelLayout, quadCount, quadsFor } from '../layout/channel-layout.ts';
import type { Shape4 } from '../layout/form.ts';
import { defineProgram, type Program, quotient } from './program.ts';

/** Statements that find for quad `q` its `first` channel, and `lanes`, the channels from there on. */
function locateQuad(layout: ChannelLayout): string {
  let quad = 0;
  let channel = 0;
  const cases = layout.map(({ count, channels }) => {
    const quads = quadsFor(channels);
    const [firstQuad, firstChannel] = [quad, channel];
    quad += count * quads;
    channel += count * channels;
    return `if (q < ${quad}) {
      const run = ${quotient(`(q - ${firstQuad})`, quads)};
      const inside = 4 * (q - ${firstQuad} - run * ${quads});
      first = ${firstChannel} + run * ${channels} + inside;
      lanes = ${channels} - inside;
    }`;
  });
  return `let first = 0.0; let lanes = 0.0;\n${cases.join(' else ')}`;
}

/** Statements that read up to four planes into `v0` to `v3`; zeros where there are no more channels. */
function readPlanes(plane: (lane: number) => string, row: string, column: string): string {
  return [0, 1, 2, 3]
    .map(
      (lane) =>
        `let v${lane} = 0.0; if (lanes > ${lane}) { v${lane} = x[${plane(lane)}][${row}][${column}]; }`,
    )
    .join('\n');
}

/** Images [N, C, H, W] of the host → texels [N, quads, H, W]. */
export function packImages(
  [images, channels, height, width]: Shape4,
  layout: ChannelLayout,
): Program {
  const quads = quadCount(layout);
  return defineProgram('pack images', {
    output: [width, height, images * quads],
    parameters: { x: [width, height, images * channels] },
    body: `
    const n = ${quotient('this.thread.z', quads)};
    const q = this.thread.z - n * ${quads};
    ${locateQuad(layout)}
    const plane = n * ${channels} + first;
    ${readPlanes((lane) => `plane + ${lane}`, 'this.thread.y', 'this.thread.x')}
    return [v0, v1, v2, v3];`,
  });
}

/**
 * Weights [O, I, kH, kW] of the host → texels [output quads, I rounded up to quads, kH · kW]: each
 * texel holds one tap of one input channel for four outputs.
 */
export function packWeights(
  [outChannels, inChannels, kernelHeight, kernelWidth]: Shape4,
  layout: ChannelLayout,
): Program {
  const taps = kernelHeight * kernelWidth;
  return defineProgram('pack weights', {
    output: [taps, 4 * quadsFor(inChannels), quadCount(layout)],
    parameters: { x: [taps, inChannels, outChannels] },
    body: `
    const q = this.thread.z;
    ${locateQuad(layout)}
    if (this.thread.y > ${inChannels - 1}) { lanes = 0.0; }
    ${readPlanes((lane) => `first + ${lane}`, 'this.thread.y', 'this.thread.x')}
    return [v0, v1, v2, v3];`,
  });
}
