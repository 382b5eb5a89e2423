import type { Window2d } from '../../../../core/window.ts';
import type { Kernels } from '../../../kernels.ts';
import { defineFunction, type FunctionBuilder, type Local } from '../../assembler/function.ts';
import { loadF32x4 } from '../../assembler/loads.ts';
import { type I32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { type Floats, type Ints, splat, splatInt } from '../../assembler/vectors.ts';
import { inFrame } from '../../frame.ts';
import { defineTask } from '../../task.ts';
import { fillRow, forPlanes, PLANE_FIELDS, planeParts } from '../rows.ts';
import { columnExtent, rowExtent, WINDOW_FIELDS, windowParts } from './fields.ts';

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

/** Four numbers that lie `stride` elements apart. */
function loadStrided(address: I32, offset: number, stride: 1 | 2): Floats {
  if (stride === 1) return loadF32x4(address, offset);
  return loadF32x4(address, offset).shuffle(loadF32x4(address, offset + 16), [0, 2, 4, 6]);
}

/** The numbers start, start + step, start + 2 · step, start + 3 · step. */
function progression(f: FunctionBuilder, start: I32, step: number): Ints {
  const lanes = f.i32x4(splatInt(start));
  for (let lane = 1; lane < 4; lane++) lanes.set(lanes.withLane(lane, start.plus(lane * step)));
  return lanes;
}

/** Windows of which four neighbours are computed at once where they lie inside the input. */
interface FastWindow {
  readonly kernel: number;
  readonly stride: 1 | 2;
}

/**
 * Four windows side by side. Which element won is kept as its number in the window, a constant for
 * each step, and turned into a position at the end. NaN never compares greater, so the sum of all
 * elements tells whether there was one, and then the windows are computed alone.
 *
 * @param at address of the first element of the first window
 */
function fourWindows(
  f: FunctionBuilder,
  { kernel, stride }: FastWindow,
  { at, rowBytes }: { at: I32; rowBytes: I32 },
): { greatest: Local<Floats>; winner: Local<Floats>; sum: Local<Floats> } {
  const greatest = f.f32x4(loadStrided(at, 0, stride));
  const winner = f.f32x4(splat(0));
  const sum = f.f32x4(greatest);
  const value = f.f32x4();
  const wins = f.i32x4();
  const row = f.i32(at);
  for (let element = 1; element < kernel * kernel; element++) {
    if (element % kernel === 0) row.set(row.plus(rowBytes));
    value.set(loadStrided(row, (element % kernel) * 4, stride));
    wins.set(value.greaterThan(greatest));
    greatest.set(wins.select(value, greatest));
    winner.set(wins.select(splat(element), winner));
    sum.set(sum.plus(value));
  }
  return { greatest, winner, sum };
}

/** @param fast null to compute each window alone */
function defineMaxPool(name: string, fast: FastWindow | null) {
  return defineTask(name, WINDOW_FIELDS, (f, p, { index }) => {
    forPlanes(f, p, index, (plane) => {
      const source = f.i32(p.source.plus(plane.times(p.height).times(p.width).times(4)));
      const outOffset = plane.times(p.outHeight).times(p.outWidth).times(4);
      const target = f.i32(p.target.plus(outOffset));
      const indices = f.i32(p.indices.plus(outOffset));
      const rowBytes = f.i32(p.width.times(4));
      const column = f.i32();
      const isDone = f.i32();
      f.for(0, p.outHeight, 1, (outRow) => {
        const rows = rowExtent(f, outRow, p);
        column.set(0);
        f.while(column.lessThan(p.outWidth), () => {
          isDone.set(0);
          if (fast !== null) {
            const { kernel, stride } = fast;
            // The last four of a row may overlap those before.
            const last = f.i32(p.outWidth.minus(4));
            const start = f.i32(column.min(last));
            const left = f.i32(start.times(stride).minus(p.left));
            const fits = left
              .atLeast(0)
              .and(left.plus(3 * stride + kernel).atMost(p.width))
              .and(start.atLeast(0))
              .and(rows.end.minus(rows.first).equals(kernel));
            f.if(fits, () => {
              const first = f.i32(rows.first.times(p.width).plus(left));
              const at = f.i32(source.plus(first.times(4)));
              const { greatest, winner, sum } = fourWindows(f, fast, { at, rowBytes });
              const hasNaN = sum.notEquals(sum).anyTrue();
              f.if(hasNaN.isZero(), () => {
                const number = f.i32x4(winner.toInts());
                // ⌊number / kernel⌋ for the few numbers of a window.
                const row = f.i32x4(
                  number.times(splatInt(Math.ceil(256 / kernel))).shiftRightUnsigned(8),
                );
                const offset = row
                  .times(splatInt(p.width))
                  .plus(number.minus(row.times(splatInt(kernel))));
                f.store(target.plus(start.times(4)), greatest);
                f.store(indices.plus(start.times(4)), progression(f, first, stride).plus(offset));
                column.set(start.plus(4));
                isDone.set(1);
              });
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
