import type { LocalsOf } from '../../assembler/parameters.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { NOWHERE } from '../../runtime/address.ts';
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

/** Where not 0: Σ g and Σ g · x̂ of channels, of which `share` is 1 / (N · H · W). */
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
    const at = f.i32(channel.times(p.area));
    const after = f.i32(at.plus(p.area.times(4)));
    const write = (values: Partial<Record<ChannelValue, F32>>): void =>
      f.while(at.lessThan(after), () => {
        for (const [value, element] of Object.entries(values)) {
          f.store(rowOf(p.table, value as ChannelValue).plus(at), element);
        }
        at.set(at.plus(4));
      });
    f.if(
      p.totals.sums,
      () => {
        const perElement = f.f32(scale.times(p.totals.share));
        level.set(perElement.times(loadF32(p.totals.sums.plus(channel))));
        slope.set(perElement.times(inverse).times(loadF32(p.totals.dots.plus(channel))));
        write({ level, slope });
      },
      () => {
        f.if(p.norm.bias, () => shift.set(loadF32(p.norm.bias.plus(channel))));
        write({ mean, scale, shift, inverse });
      },
    );
  });
});

interface Sizes {
  readonly channels: number;
  readonly area: number;
}

type Totals = FieldValues<typeof TOTALS>;
type Norm = FieldValues<typeof NORM>;
type Table = FieldValues<typeof TABLE>;

/** Writes `level` and `slope` of a table, which are known when the sums over channels are; without these the others. */
export function writeChannelRows(
  frame: Frame,
  { channels, area }: Sizes,
  norm: Norm,
  totals: Totals,
  table: Table,
): void {
  const parts = Math.ceil(channels / CHANNELS_OF_PART);
  frame.run(channelRowsTask, parts, { norm, totals, channels, area, table });
}

/** The values of channels, once for each element of an image: rows beside its own, but `level` and `slope`. */
export function channelRows(frame: Frame, sizes: Sizes, norm: Norm): Table {
  const pitch = (sizes.channels * sizes.area + 8) * 4; // A vector may reach over the end.
  const table = { address: frame.temporary(VALUES.length * pitch), pitch };
  writeChannelRows(frame, sizes, norm, { sums: NOWHERE, dots: NOWHERE, share: 0 }, table);
  return table;
}
