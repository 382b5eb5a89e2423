import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues } from '../../runtime/task.ts';
import { LongSum, toFloats } from '../lanes/long-sum.ts';
import { CHUNK, chunks } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';

const sumArraysTask = defineTask(
  'sumArrays',
  { source: 'address', arrays: 'i32', count: 'i32', target: 'address' },
  (f, { source, arrays, count, target }, { index }) => {
    const { first, end } = partRange(f, index, CHUNK, count);
    const sum = new LongSum(f);
    const at = f.i32();
    const stride = f.i32(count.times(4));
    f.for(first, end, 4, (i) => {
      sum.clear();
      at.set(source.plus(i.times(4)));
      f.for(0, arrays, 1, () => {
        sum.addAt(at);
        at.set(at.plus(stride));
      });
      f.store(target.plus(i.times(4)), toFloats(sum.lanes));
    });
  },
);

/** target[i] = Σ_a source[a · count + i]. */
export function sumArrays(frame: Frame, values: FieldValues<typeof sumArraysTask.fields>): void {
  frame.run(sumArraysTask, chunks(values.count), values);
}
