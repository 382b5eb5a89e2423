import type { Kernels } from '../../../kernels.ts';
import type { FunctionBuilder, LocalsOf } from '../../assembler/function.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { inFrame } from '../../frame.ts';
import { defineTask } from '../../task.ts';
import { fillRow, forPlanes } from '../rows.ts';
import { columnExtent, rowExtent, WINDOW_FIELDS, windowParts } from './fields.ts';

/** Calls `body` for each window, with the address and number of its output and its padded area. */
function forWindows(
  f: FunctionBuilder,
  p: LocalsOf<typeof WINDOW_FIELDS>,
  body: (output: I32, area: F32, forElements: (visit: (offset: I32) => void) => void) => void,
): void {
  const output = f.i32(0);
  f.for(0, p.outHeight, 1, (outRow) => {
    const rows = rowExtent(f, outRow, p);
    f.for(0, p.outWidth, 1, (outColumn) => {
      const columns = columnExtent(f, outColumn, p);
      const area = f.f32(rows.length.times(columns.length).toF32());
      body(output, area, (visit) =>
        f.for(rows.first, rows.end, 1, (row) =>
          f.for(columns.first, columns.end, 1, (column) =>
            visit(row.times(p.width).plus(column).times(4)),
          ),
        ),
      );
      output.set(output.plus(4));
    });
  });
}

const forwardTask = defineTask('avgPool', WINDOW_FIELDS, (f, p, { index }) => {
  forPlanes(f, p, index, (plane) => {
    const source = f.i32(p.source.plus(plane.times(p.height).times(p.width).times(4)));
    const target = f.i32(p.target.plus(plane.times(p.outHeight).times(p.outWidth).times(4)));
    const sum = f.f32();
    forWindows(f, p, (output, area, forElements) => {
      sum.set(0);
      forElements((offset) => sum.set(sum.plus(loadF32(source.plus(offset)))));
      f.store(target.plus(output), sum.dividedBy(area));
    });
  });
});

/** `source` is the gradient by the output, `target` that by the input. */
const gradTask = defineTask('avgPoolGrad', WINDOW_FIELDS, (f, p, { index }) => {
  forPlanes(f, p, index, (plane) => {
    const area = f.i32(p.height.times(p.width));
    const source = f.i32(p.source.plus(plane.times(p.outHeight).times(p.outWidth).times(4)));
    const target = f.i32(p.target.plus(plane.times(area).times(4)));
    const share = f.f32();
    const at = f.i32();
    f.call(fillRow, { target, count: area, value: 0 });
    forWindows(f, p, (output, windowArea, forElements) => {
      share.set(loadF32(source.plus(output)).dividedBy(windowArea));
      forElements((offset) => {
        at.set(target.plus(offset));
        f.store(at, loadF32(at).plus(share));
      });
    });
  });
});

export const averagePooling: Pick<Kernels, 'avgPool2d' | 'avgPool2dGrad'> = {
  avgPool2d: (x, window) =>
    inFrame((frame) => {
      const [N, C] = x.shape;
      const y = frame.output([N, C, window.outHeight, window.outWidth]);
      const { parts, fields } = windowParts(window, x.shape);
      frame.run(forwardTask, parts, {
        source: frame.input(x),
        target: y.address,
        indices: 0,
        ...fields,
      });
      return y.array;
    }),

  avgPool2dGrad: (gradOut, inputShape, window) =>
    inFrame((frame) => {
      const gradIn = frame.output(inputShape);
      const { parts, fields } = windowParts(window, inputShape);
      frame.run(gradTask, parts, {
        source: frame.input(gradOut),
        target: gradIn.address,
        indices: 0,
        ...fields,
      });
      return gradIn.array;
    }),
};
