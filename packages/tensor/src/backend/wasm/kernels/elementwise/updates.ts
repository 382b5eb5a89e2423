import type { Kernels } from '../../../contract.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { chunks, forVectors } from '../loops/flat-arrays.ts';

const blendTask = defineTask(
  'blend',
  { target: 'address', source: 'address', count: 'i32', keep: 'f32', add: 'f32' },
  (f, { target, source, count, keep, add }, { index }) => {
    const keeps = f.f32x4(splat(keep));
    const adds = f.f32x4(splat(add));
    const loop = (blended: Floats): void =>
      forVectors(f, count, index, [source, target], () => f.store(target, blended));
    const added = f.load(source).times(adds);
    // Assignment (keep = 0) must not keep a NaN or infinity alive.
    f.if(
      keep.notEquals(0),
      () => loop(f.multiplyAdd(keeps, f.load(target), added)),
      () => loop(added),
    );
  },
);

export const updates: Pick<Kernels, 'blend'> = {
  blend: (target, x, { keep, add }) =>
    inFrame((frame) => {
      const values = { target: frame.target(target), source: frame.input(x), keep, add };
      frame.run(blendTask, chunks(x.size), { ...values, count: x.size });
    }),
};
