/**
 * How channels lie on a device. A texel holds four numbers: up to four channels of one pixel, called
 * a quad. So a texture of images is [N, quads, H, W] texels, and one read gives four channels.
 *
 * Channels that belong together (a group of a grouped convolution, a branch of the output) start at
 * a new quad; places that are left over hold zeros.
 */

/** `count` runs of `channels` channels, each of which starts at a new quad. */
interface ChannelRun {
  readonly count: number;
  readonly channels: number;
}

export type ChannelLayout = readonly ChannelRun[];

/** A layout of runs one after the other; equal layouts get equal runs. */
export function channelLayout(runs: readonly ChannelRun[]): ChannelLayout {
  const lengths: number[] = [];
  for (const { count, channels } of runs) {
    for (let run = 0; run < count; run++) {
      const last = lengths.at(-1);
      // Full quads leave no gap: what follows continues the run.
      if (last !== undefined && last % 4 === 0) lengths[lengths.length - 1] = last + channels;
      else lengths.push(channels);
    }
  }
  const merged: { count: number; channels: number }[] = [];
  for (const channels of lengths) {
    const last = merged.at(-1);
    if (last?.channels === channels) last.count++;
    else merged.push({ count: 1, channels });
  }
  return merged;
}

/** The layout of channels in equal groups. */
export function groupedLayout(channels: number, groups: number): ChannelLayout {
  return channelLayout([{ count: groups, channels: channels / groups }]);
}

export function layoutKey(layout: ChannelLayout): string {
  return layout.map(({ count, channels }) => `${count}x${channels}`).join('+');
}

/** Quads that `channels` channels take. */
export function quadsFor(channels: number): number {
  return Math.ceil(channels / 4);
}

export function quadCount(layout: ChannelLayout): number {
  return layout.reduce((sum, { count, channels }) => sum + count * quadsFor(channels), 0);
}

/** For each quad in order: its first channel and how many of its four places are taken. */
function quadsOf(layout: ChannelLayout): { first: number; lanes: number }[] {
  const quads: { first: number; lanes: number }[] = [];
  let start = 0;
  for (const { count, channels } of layout) {
    for (let run = 0; run < count; run++) {
      for (let c = 0; c < channels; c += 4) {
        quads.push({ first: start + c, lanes: Math.min(4, channels - c) });
      }
      start += channels;
    }
  }
  return quads;
}

/**
 * Takes planes out of quads: channel c of item n goes to plane `n · channels + c` of `target`.
 *
 * @param texels [items, quads, planeSize] texels of four numbers
 */
export function unpackQuads(
  texels: Float32Array,
  layout: ChannelLayout,
  { items, planeSize }: { items: number; planeSize: number },
  target: Float32Array,
): void {
  const quads = quadsOf(layout);
  const channels = layout.reduce((sum, run) => sum + run.count * run.channels, 0);
  for (let n = 0; n < items; n++) {
    quads.forEach(({ first, lanes }, q) => {
      const from = (n * quads.length + q) * planeSize * 4;
      for (let lane = 0; lane < lanes; lane++) {
        const to = (n * channels + first + lane) * planeSize;
        for (let i = 0; i < planeSize; i++) target[to + i] = texels[from + 4 * i + lane];
      }
    });
  }
}
