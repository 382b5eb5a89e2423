import { broadcastShapes, broadcastStrides, elementCount } from '../../../../core/shape.ts';
import type { Kernels } from '../../../contract.ts';
import { offsetsOf } from '../../../offsets.ts';
import { addressAfter, NOWHERE } from '../../runtime/address.ts';
import { inFrame } from '../../runtime/frame.ts';
import { multiply } from './multiply.ts';
import { linearTable } from './offset-table.ts';

/** The step between the starts of one operand's matrices if there is one for all, else null. */
function commonStep(starts: Int32Array): number | null {
  const step = starts.length > 1 ? starts[1] - starts[0] : 0;
  return starts.every((start, i) => start === i * step) ? step : null;
}

export const linearAlgebra: Pick<Kernels, 'matmul'> = {
  matmul: (a, b, transposed) =>
    inFrame((frame) => {
      const batchA = a.shape.slice(0, -2);
      const batchB = b.shape.slice(0, -2);
      const batch = broadcastShapes(batchA, batchB) as number[]; // The op checked that they broadcast.
      const [rowsA, columnsA] = a.shape.slice(-2);
      const [rowsB, columnsB] = b.shape.slice(-2);
      const rows = transposed.a ? columnsA : rowsA;
      const k = transposed.a ? rowsA : columnsA;
      const columns = transposed.b ? rowsB : columnsB;
      const y = frame.output([...batch, rows, columns]);
      const items = elementCount(batch);
      const startsA = offsetsOf(batch, broadcastStrides(batchA, batch));
      const startsB = offsetsOf(batch, broadcastStrides(batchB, batch));
      const addressA = frame.input(a);
      const addressB = frame.input(b);
      const bytesA = rowsA * columnsA * 4;
      const bytesB = rowsB * columnsB * 4;
      const bytesC = rows * columns * 4;
      const [byRow, byColumn] = [columnsA * 4, columnsB * 4];

      const run = (first: number, count: number, stepA: number, stepB: number): void =>
        multiply(frame, {
          rows,
          k,
          columns,
          totalColumns: columns * count,
          groups: 1,
          ending: { mode: 0, bias: NOWHERE },
          a: {
            address: addressAfter(addressA, startsA[first] * bytesA),
            kOffsets: linearTable(k, transposed.a ? byRow : 4),
            lineOffsets: linearTable(rows, transposed.a ? 4 : byRow),
            along: !transposed.a,
            groupStride: 0,
            outerStride: stepA * bytesA,
          },
          b: {
            address: addressAfter(addressB, startsB[first] * bytesB),
            kOffsets: linearTable(k, transposed.b ? 4 : byColumn),
            lineOffsets: linearTable(columns, transposed.b ? byColumn : 4),
            along: transposed.b,
            groupStride: 0,
            outerStride: stepB * bytesB,
          },
          c: {
            address: addressAfter(y.address, first * bytesC),
            rowStride: columns * 4,
            columnOffsets: linearTable(columns, 4),
            groupStride: 0,
            outerStride: bytesC,
          },
        });

      const stepA = commonStep(startsA);
      const stepB = commonStep(startsB);
      if (stepA !== null && stepB !== null) run(0, items, stepA, stepB);
      else for (let item = 0; item < items; item++) run(item, 1, 0, 0);
      return y.array;
    }),
};
