import type { Shape } from '../../../../core/shape.ts';
import type { Window2d } from '../../../../core/window.ts';
import type { Kernels } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { forPlanes, PLANES, planeParts } from '../loops/planes.ts';
import { fillRow } from '../loops/rows.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import { type AXIS, extentOf, POOLING, windowParts } from './fields.ts';

/** Calls `body` for each window, with the address and number of its output and its padded area. */
function forWindows(
  f: FunctionBuilder,
  p: LocalsOf<typeof POOLING>,
  body: (output: I32, area: F32, forElements: (visit: (offset: I32) => void) => void) => void,
): void {
  const output = f.i32(0);
  f.for(0, p.rows.windows, 1, (outRow) => {
    const rows = extentOf(f, outRow, p.rows);
    f.for(0, p.columns.windows, 1, (outColumn) => {
      const columns = extentOf(f, outColumn, p.columns);
      const area = f.f32(rows.length.times(columns.length).toF32());
      body(output, area, (visit) =>
        f.for(rows.first, rows.end, 1, (row) =>
          f.for(columns.first, columns.end, 1, (column) =>
            visit(row.times(p.columns.size).plus(column).times(4)),
          ),
        ),
      );
      output.set(output.plus(4));
    });
  });
}

const forwardTask = defineTask('avgPool', POOLING, (f, p, { index }) => {
  forPlanes(f, p.planes, index, (plane) => {
    const source = f.i32(p.source.plus(plane.times(p.rows.size).times(p.columns.size).times(4)));
    const target = f.i32(
      p.target.plus(plane.times(p.rows.windows).times(p.columns.windows).times(4)),
    );
    const sum = f.f64();
    forWindows(f, p, (output, area, forElements) => {
      sum.set(0);
      forElements((offset) => sum.set(sum.plus(loadF32(source.plus(offset)).toF64())));
      f.store(target.plus(output), sum.dividedBy(area.toF64()).toF32());
    });
  });
});

/**
 * `source` is the gradient by the output, `target` that by the input: each window adds its share to
 * its elements. In float32, so for elements in few windows.
 */
const scatterTask = defineTask('avgPoolScatter', POOLING, (f, p, { index }) => {
  forPlanes(f, p.planes, index, (plane) => {
    const area = f.i32(p.rows.size.times(p.columns.size));
    const source = f.i32(
      p.source.plus(plane.times(p.rows.windows).times(p.columns.windows).times(4)),
    );
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

/** Share of a window's gradient for each of its elements: target = source / area. */
const sharesTask = defineTask('avgPoolShares', POOLING, (f, p, { index }) => {
  forPlanes(f, p.planes, index, (plane) => {
    const start = f.i32(plane.times(p.rows.windows).times(p.columns.windows).times(4));
    const source = f.i32(p.source.plus(start));
    const target = f.i32(p.target.plus(start));
    forWindows(f, p, (output, area) => {
      f.store(target.plus(output), loadF32(source.plus(output)).dividedBy(area));
    });
  });
});

/** The windows [first, end) of one axis that hold an element, from one element to the next. */
function windowsOf(
  f: FunctionBuilder,
  { windows, kernel, stride, before }: LocalsOf<typeof AXIS>,
): { first: Local<I32>; end: Local<I32>; start(): void; moveTo(element: I32): void } {
  const first = f.i32();
  const end = f.i32();
  return {
    first,
    end,
    start() {
      first.set(0);
      end.set(0);
    },
    moveTo(element) {
      const padded = f.i32(element.plus(before));
      f.while(end.lessThan(windows).and(end.times(stride).atMost(padded)), () =>
        end.set(end.plus(1)),
      );
      f.while(first.times(stride).plus(kernel).atMost(padded), () => first.set(first.plus(1)));
    },
  };
}

/** Each element's sum of the shares (`source`) of all windows that hold it. */
const gatherTask = defineTask('avgPoolGather', POOLING, (f, p, { index }) => {
  const rows = windowsOf(f, p.rows);
  const columns = windowsOf(f, p.columns);
  const sum = f.f64();
  forPlanes(f, p.planes, index, (plane) => {
    const source = f.i32(
      p.source.plus(plane.times(p.rows.windows).times(p.columns.windows).times(4)),
    );
    const target = f.i32(p.target.plus(plane.times(p.rows.size).times(p.columns.size).times(4)));
    rows.start();
    f.for(0, p.rows.size, 1, (row) => {
      rows.moveTo(row);
      columns.start();
      f.for(0, p.columns.size, 1, (column) => {
        columns.moveTo(column);
        sum.set(0);
        f.for(rows.first, rows.end, 1, (outRow) => {
          const line = f.i32(source.plus(outRow.times(p.columns.windows).times(4)));
          f.for(columns.first, columns.end, 1, (outColumn) => {
            sum.set(sum.plus(loadF32(line.plus(outColumn.times(4))).toF64()));
          });
        });
        f.store(target, sum.toF32());
        target.set(target.plus(4));
      });
    });
  });
});

/** The gradient of windows that are whole planes: each element of a plane has the same share. */
const spreadTask = defineTask(
  'avgPoolSpread',
  { planes: PLANES, source: 'address', target: 'address', area: 'i32' },
  (f, p, { index }) => {
    forPlanes(f, p.planes, index, (plane) => {
      const share = loadF32(p.source.plus(plane.times(4))).dividedBy(p.area.toF32());
      const target = p.target.plus(plane.times(p.area).times(4));
      f.call(fillRow, { target, count: p.area, value: share.plus(0) }); // −0 is 0 as in other sums.
    });
  },
);

function isWholePlane(window: Window2d, [, , H, W]: Shape): boolean {
  const { kernelHeight, kernelWidth, padding } = window;
  const { top, bottom, left, right } = padding;
  return kernelHeight === H && kernelWidth === W && top + bottom + left + right === 0;
}

/** Windows whose shares may be added in float32: so few lose less than 1e-6. */
const FEW_WINDOWS = 16;

/** In how many windows an element may be. */
function windowsOfElement(window: Window2d): number {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = window;
  return Math.ceil(kernelHeight / strideHeight) * Math.ceil(kernelWidth / strideWidth);
}

export const averagePooling: Pick<Kernels, 'avgPool2d' | 'avgPool2dGrad'> = {
  avgPool2d: (x, window) =>
    inFrame((frame) => {
      const [N, C, H, W] = x.shape;
      const y = frame.output([N, C, window.outHeight, window.outWidth]);
      if (isWholePlane(window, x.shape)) {
        const axis = { outer: N * C, length: H * W, inner: 1 };
        const target = { address: y.address, divisor: H * W };
        sumAxis(frame, { address: frame.input(x), areSums: false }, axis, target);
        return y.array;
      }
      const { parts, fields } = windowParts(window, x.shape);
      frame.run(forwardTask, parts, { ...fields, source: frame.input(x), target: y.address });
      return y.array;
    }),

  avgPool2dGrad: (gradOut, inputShape, window) =>
    inFrame((frame) => {
      const gradIn = frame.output(inputShape);
      const source = frame.input(gradOut);
      const target = gradIn.address;
      if (isWholePlane(window, inputShape)) {
        const [N, C, H, W] = inputShape;
        const { parts, planes } = planeParts(N * C, H * W);
        frame.run(spreadTask, parts, { planes, source, target, area: H * W });
        return gradIn.array;
      }
      const { parts, fields } = windowParts(window, inputShape);
      if (windowsOfElement(window) <= FEW_WINDOWS) {
        frame.run(scatterTask, parts, { ...fields, source, target });
      } else {
        const shares = frame.temporary(gradOut.size * 4);
        frame.run(sharesTask, parts, { ...fields, source, target: shares });
        frame.run(gatherTask, parts, { ...fields, source: shares, target });
      }
      return gradIn.array;
    }),
};
