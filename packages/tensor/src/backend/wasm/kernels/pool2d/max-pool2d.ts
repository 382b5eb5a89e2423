import type { Window2d } from '../../../../core/window.ts';
import type { Kernels } from '../../../kernels.ts';
import { defineFunction } from '../../assembler/function.ts';
import { loadF32, loadI32 } from '../../assembler/scalars.ts';
import { inFrame } from '../../frame.ts';
import { defineTask } from '../../task.ts';
import { fillRow, forPlanes, PLANE_FIELDS, planeParts } from '../rows.ts';
import { columnExtent, rowExtent, WINDOW_FIELDS, windowParts } from './fields.ts';
import { type FastWindow, severalWindows, storeInOrder, wholeWindows } from './max-windows.ts';

/**
 * The largest element of each window with its position in the plane. The first largest in row-major
 * order wins, and NaN wins over everything.
 */

/** One window, element by element. */
const scalarWindow = defineFunction(
  'maxOfWindow',
  {
    source: 'i32',
    width: 'i32',
    top: 'i32',
    bottom: 'i32',
    left: 'i32',
    right: 'i32',
    target: 'i32',
    index: 'i32',
  },
  (f, { source, width, top, bottom, left, right, target, index }) => {
    const best = f.i32(top.times(width).plus(left));
    const greatest = f.f32(loadF32(source.plus(best.times(4))));
    const value = f.f32();
    f.for(top, bottom, 1, (row) => {
      f.for(left, right, 1, (column) => {
        const at = f.i32(row.times(width).plus(column));
        value.set(loadF32(source.plus(at.times(4))));
        f.if(value.greaterThan(greatest).plus(value.notEquals(value)), () => {
          greatest.set(value);
          best.set(at);
        });
      });
    });
    f.store(target, greatest);
    f.store(index, best);
  },
);

/** @param fast null to compute each window alone */
function defineMaxPool(name: string, fast: FastWindow | null) {
  return defineTask(name, WINDOW_FIELDS, (f, p, { index, scratch }) => {
    const rowBytes = f.i32(p.width.times(4));
    const whole = fast === null ? null : wholeWindows(f, fast, p);
    forPlanes(f, p, index, (plane) => {
      const source = f.i32(p.source.plus(plane.times(p.height).times(p.width).times(4)));
      const outOffset = plane.times(p.outHeight).times(p.outWidth).times(4);
      const target = f.i32(p.target.plus(outOffset));
      const indices = f.i32(p.indices.plus(outOffset));
      const column = f.i32();
      const isDone = f.i32();
      f.for(0, p.outHeight, 1, (outRow) => {
        const rows = rowExtent(f, outRow, p);
        const isWhole = f.i32(rows.end.minus(rows.first).equals(p.kernelHeight));
        column.set(0);
        f.while(column.lessThan(p.outWidth), () => {
          isDone.set(0);
          if (fast !== null && whole !== null) {
            const fits = isWhole.and(column.atLeast(whole.first)).and(column.lessThan(whole.end));
            const compute = (lanes: number): void => {
              // The last ones of a row may overlap those before.
              const last = f.i32(whole.end.minus(lanes));
              const start = f.i32(column.min(last));
              const left = start.times(fast.stride).minus(p.left);
              const first = f.i32(rows.first.times(p.width).plus(left));
              const at = f.i32(source.plus(first.times(4)));
              const place = { at, first, width: p.width, rowBytes };
              const { greatest, winner, hasNaN } = severalWindows(f, fast, place, lanes);
              f.if(hasNaN.isZero(), () => {
                const offset = f.i32(start.times(4));
                storeInOrder(f, f.i32(target.plus(offset)), greatest, fast, scratch);
                const places = f.floatsLike(winner, winner.bits());
                storeInOrder(f, f.i32(indices.plus(offset)), places, fast, f.i32(scratch.plus(32)));
                column.set(start.plus(lanes));
                isDone.set(1);
              });
            };
            f.if(fits, () => {
              const count = f.i32(whole.end.minus(whole.first));
              const few = (): void => f.if(count.atLeast(4), () => compute(4));
              if (f.lanes === 4) few();
              else f.if(count.atLeast(8), () => compute(8), few);
            });
          }
          f.if(isDone.isZero(), () => {
            const columns = columnExtent(f, column, p);
            f.call(scalarWindow, {
              source,
              width: p.width,
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
        target.set(target.plus(p.outWidth.times(4)));
        indices.set(indices.plus(p.outWidth.times(4)));
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
    ...PLANE_FIELDS,
    gradOut: 'i32',
    indices: 'i32',
    gradIn: 'i32',
    outArea: 'i32',
    area: 'i32',
  },
  (f, p, { index }) => {
    forPlanes(f, p, index, (plane) => {
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
        source: frame.input(x),
        target: y.address,
        indices: indices.address,
        ...fields,
      });
      return { y: y.array, indices: indices.array };
    }),

  maxPool2dGrad: (gradOut, indices, inputShape) =>
    inFrame((frame) => {
      const [N, C, H, W] = inputShape;
      const gradIn = frame.output(inputShape);
      const { parts, fields } = planeParts(N * C, H * W);
      frame.run(gradTask, parts, {
        ...fields,
        gradOut: frame.input(gradOut),
        indices: frame.input(indices),
        gradIn: gradIn.address,
        outArea: gradOut.shape[2] * gradOut.shape[3],
        area: H * W,
      });
      return gradIn.array;
    }),
};
