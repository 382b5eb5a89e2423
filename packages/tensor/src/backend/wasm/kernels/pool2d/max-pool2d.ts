import type { Window2d } from '../../../../core/window.ts';
import type { Kernels } from '../../../contract.ts';
import { defineFunction } from '../../assembler/function.ts';
import { loadSplat } from '../../assembler/loads.ts';
import { type I32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { splatInt } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { forPlanes, PLANES, planeParts } from '../loops/planes.ts';
import { fillRow } from '../loops/rows.ts';
import { extentOf, POOLING, windowParts } from './fields.ts';
import {
  type FastWindow,
  severalWindows,
  storeInOrder,
  storeSome,
  wholeWindows,
} from './max-windows.ts';

/**
 * The largest element of each window with its position in the plane. The first largest in row-major
 * order wins, and NaN wins over everything.
 */

/** One window, element by element. */
const scalarWindow = defineFunction(
  'maxOfWindow',
  {
    source: 'address',
    width: 'i32',
    top: 'i32',
    bottom: 'i32',
    left: 'i32',
    right: 'i32',
    target: 'address',
    index: 'address',
  },
  (f, { source, width, top, bottom, left, right, target, index }) => {
    // All lanes alike: without branches, which nothing predicts.
    const place = f.i32(top.times(width).plus(left));
    const best = f.i32x4(splatInt(place));
    const greatest = f.f32x4(loadSplat(source.plus(place.times(4))));
    const value = f.f32x4();
    const wins = f.i32x4();
    f.for(top, bottom, 1, (row) => {
      f.for(left, right, 1, (column) => {
        place.set(row.times(width).plus(column));
        value.set(loadSplat(source.plus(place.times(4))));
        wins.set(value.greaterThan(greatest).or(value.notEquals(value)));
        greatest.set(wins.select(value, greatest));
        // Places only grow, so the larger of two is that of the later element.
        best.set(best.max(wins.and(splatInt(place))));
      });
    });
    f.store(target, greatest.lane(0));
    f.store(index, best.lane(0));
  },
);

/** @param fast null to compute each window alone */
function defineMaxPool(name: string, fast: FastWindow | null) {
  return defineTask(name, { ...POOLING, indices: 'address' }, (f, p, { index, scratch }) => {
    const whole = fast === null ? null : wholeWindows(f, fast, p.columns);
    forPlanes(f, p.planes, index, (plane) => {
      const source = f.i32(p.source.plus(plane.times(p.rows.size).times(p.columns.size).times(4)));
      const outOffset = plane.times(p.rows.windows).times(p.columns.windows).times(4);
      const target = f.i32(p.target.plus(outOffset));
      const indices = f.i32(p.indices.plus(outOffset));
      const column = f.i32();
      const isDone = f.i32();
      f.for(0, p.rows.windows, 1, (outRow) => {
        const rows = extentOf(f, outRow, p.rows);
        const rowCount = f.i32(rows.end.minus(rows.first));
        column.set(0);
        f.while(column.lessThan(p.columns.windows), () => {
          isDone.set(0);
          if (fast !== null && whole !== null) {
            const fits = column.atLeast(whole.first).and(column.lessThan(whole.end));
            /** @param count windows that count where there are fewer than lanes */
            const compute = (lanes: number, count?: I32): void => {
              const start = f.i32(column);
              if (count === undefined) {
                // The last ones of a row may overlap those before.
                const last = f.i32(whole.end.minus(lanes));
                start.set(column.min(last));
              }
              const left = start.times(fast.stride).minus(p.columns.before);
              const first = f.i32(rows.first.times(p.columns.size).plus(left));
              const at = f.i32(source.plus(first.times(4)));
              const place = { at, first, rowCount, width: p.columns.size };
              const { greatest, winner, hasNaN } = severalWindows(f, fast, place, lanes);
              f.if(hasNaN.isZero(), () => {
                const offset = f.i32(start.times(4));
                const results = [
                  [f.i32(target.plus(offset)), greatest],
                  [f.i32(indices.plus(offset)), f.floatsLike(winner, winner.bits())],
                ] as const;
                for (const [to, values] of results) {
                  if (count === undefined) storeInOrder(f, to, values, fast, scratch);
                  else storeSome(f, to, values, count);
                }
                column.set(start.plus(count ?? lanes));
                isDone.set(1);
              });
            };
            f.if(fits, () => {
              const count = f.i32(whole.end.minus(whole.first));
              const few = (): void => {
                const several = (): void => compute(4);
                f.if(count.atLeast(4), several, () => compute(4, f.i32(whole.end.minus(column))));
              };
              if (f.lanes === 4) few();
              else f.if(count.atLeast(8), () => compute(8), few);
            });
          }
          f.if(isDone.isZero(), () => {
            const columns = extentOf(f, column, p.columns);
            f.call(scalarWindow, {
              source,
              width: p.columns.size,
              top: rows.first,
              bottom: rows.end,
              left: columns.first,
              right: columns.end,
              target: target.plus(column.times(4)),
              index: indices.plus(column.times(4)),
            });
            column.set(column.plus(1));
          });
        });
        target.set(target.plus(p.columns.windows.times(4)));
        indices.set(indices.plus(p.columns.windows.times(4)));
      });
    });
  });
}

const TASKS = {
  '2×2/1': defineMaxPool('maxPool2', { kernel: 2, stride: 1 }),
  '2×2/2': defineMaxPool('maxPool2Stride2', { kernel: 2, stride: 2 }),
  '3×3/1': defineMaxPool('maxPool3', { kernel: 3, stride: 1 }),
  '3×3/2': defineMaxPool('maxPool3Stride2', { kernel: 3, stride: 2 }),
  other: defineMaxPool('maxPool', null),
} as const;

function taskFor({ kernelHeight, kernelWidth, strideWidth }: Window2d): (typeof TASKS)['other'] {
  const name = `${kernelHeight}×${kernelWidth}/${strideWidth}`;
  return name in TASKS ? TASKS[name as keyof typeof TASKS] : TASKS.other;
}

const gradTask = defineTask(
  'maxPoolGrad',
  {
    planes: PLANES,
    gradOut: 'address',
    indices: 'address',
    gradIn: 'address',
    outArea: 'i32',
    area: 'i32',
  },
  (f, p, { index }) => {
    forPlanes(f, p.planes, index, (plane) => {
      const target = f.i32(p.gradIn.plus(plane.times(p.area).times(4)));
      const offset = f.i32(plane.times(p.outArea).times(4));
      const gradient = f.i32(p.gradOut.plus(offset));
      const position = f.i32(p.indices.plus(offset));
      const at = f.i32();
      f.call(fillRow, { target, count: p.area, value: 0 });
      f.for(0, p.outArea, 1, () => {
        at.set(target.plus(loadI32(position).times(4)));
        f.store(at, loadF32(at).plus(loadF32(gradient)));
        position.set(position.plus(4));
        gradient.set(gradient.plus(4));
      });
    });
  },
);

export const maxPooling: Pick<Kernels, 'maxPool2d' | 'maxPool2dGrad'> = {
  maxPool2d: (x, window) =>
    inFrame((frame) => {
      const [N, C] = x.shape;
      const shape = [N, C, window.outHeight, window.outWidth];
      const y = frame.output(shape);
      const indices = frame.output(shape, 'int32');
      const { parts, fields } = windowParts(window, x.shape);
      frame.run(taskFor(window), parts, {
        ...fields,
        source: frame.input(x),
        target: y.address,
        indices: indices.address,
      });
      return { y: y.array, indices: indices.array };
    }),

  maxPool2dGrad: (gradOut, indices, inputShape) =>
    inFrame((frame) => {
      const [N, C, H, W] = inputShape;
      const gradIn = frame.output(inputShape);
      const { parts, planes } = planeParts(N * C, H * W);
      frame.run(gradTask, parts, {
        planes,
        gradOut: frame.input(gradOut),
        indices: frame.input(indices),
        gradIn: gradIn.address,
        outArea: gradOut.shape[2] * gradOut.shape[3],
        area: H * W,
      });
      return gradIn.array;
    }),
};
