import type { LocalsOf } from '../../assembler/parameters.ts';
import { f32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Address, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues } from '../../runtime/task.ts';
import { partRange } from '../loops/part-range.ts';
import { channelValues, NORM } from './channels.ts';

/** What the elements of a channel are computed with, as in `channels.ts` and `gradients.ts`. */
const VALUES = ['mean', 'scale', 'shift', 'inverse', 'level', 'slope'] as const;
export type ChannelValue = (typeof VALUES)[number];

/** A row for each of `VALUES`, of as many elements as an image has. */
export const TABLE = { address: 'address', pitch: 'bytes' } as const;

export const rowOf = ({ address, pitch }: LocalsOf<typeof TABLE>, value: ChannelValue): I32 =>
  address.plus(pitch.times(VALUES.indexOf(value)));

/** Channels whose values one part writes. */
const CHANNELS_OF_PART = 64;

/** Where it is known: Σ g and Σ g · x̂ of channels, of which `share` is 1 / (N · H · W). */
const TOTALS = { sums: 'address', dots: 'address', share: 'f32' } as const;

const FIELDS = {
  norm: NORM,
  totals: TOTALS,
  channels: 'i32',
  area: 'i32',
  table: TABLE,
} as const;

const channelRowsTask = defineTask('batchNormChannelRows', FIELDS, (f, p, { index }) => {
  const { first, end } = partRange(f, index, CHANNELS_OF_PART, p.channels);
  const [shift, level, slope] = [f.f32(), f.f32(), f.f32()];
  f.for(first, end, 1, (number) => {
    const channel = f.i32(number.times(4));
    const { mean, scale, inverse } = channelValues(f, p.norm, channel);
    f.if(p.norm.bias, () => shift.set(loadF32(p.norm.bias.plus(channel))));
    f.if(p.totals.sums, () => {
      const perElement = f.f32(scale.times(p.totals.share));
      level.set(perElement.times(loadF32(p.totals.sums.plus(channel))));
      slope.set(perElement.times(inverse).times(loadF32(p.totals.dots.plus(channel))));
    });
    const values = { mean, scale, shift, inverse, level, slope };
    const at = f.i32(channel.times(p.area));
    const after = f.i32(at.plus(p.area.times(4)));
    f.while(at.lessThan(after), () => {
      for (const value of VALUES) f.store(rowOf(p.table, value).plus(at), f32(values[value]));
      at.set(at.plus(4));
    });
  });
});

/** The values of channels, once for each element of an image: rows beside its own. */
export function channelRows(
  frame: Frame,
  { channels, area }: { channels: number; area: number },
  norm: FieldValues<typeof NORM>,
  totals: { sums: Address; dots: Address; share: number } = {
    sums: NOWHERE,
    dots: NOWHERE,
    share: 0,
  },
): FieldValues<typeof TABLE> {
  const pitch = (channels * area + 8) * 4; // A vector may reach over the end.
  const table = { address: frame.temporary(VALUES.length * pitch), pitch };
  const parts = Math.ceil(channels / CHANNELS_OF_PART);
  frame.run(channelRowsTask, parts, { norm, totals, channels, area, table });
  return table;
}
