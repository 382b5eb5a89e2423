import type { NdArray } from '../../../../core/ndarray.ts';
import { loadF32 } from '../../assembler/scalars.ts';
import { splat } from '../../assembler/vectors.ts';
import { tileOf } from '../../micro-kernel/tile.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues, type TaskDefinition } from '../../runtime/task.ts';
import { COMPONENTS } from './products.ts';
import { inputTile, type OutputTile, WEIGHTS } from './transforms.ts';

/** How the product's A is read from weights [O, I, 3, 3]: row and k are output and input channel. */
const WEIGHTS_IN_MEMORY = {
  address: 'address',
  rows: 'i32',
  k: 'i32',
  /** From one row, and from one k, to the next. */
  rowStride: 'bytes',
  kStride: 'bytes',
} as const;

export interface WeightLayout extends FieldValues<typeof WEIGHTS_IN_MEMORY> {
  readonly array: NdArray;
  /** Whether the kernel is turned by 180° (for the gradient by the input). */
  readonly turned: boolean;
}

const FIELDS = {
  weights: WEIGHTS_IN_MEMORY,
  firstTap: 'bytes',
  tapStep: 'bytes',
  packed: COMPONENTS,
} as const;

/**
 * G g Gᵀ of all kernels of as many rows as a tile of the product has, packed for the micro-kernel:
 * component[n · n][panel][k][row of the panel].
 */
function defineWeightsTask(m: OutputTile): TaskDefinition<typeof FIELDS> {
  const n = inputTile(m);
  return defineTask(`winogradWeights${m}`, FIELDS, (f, fields, { index, scratch }) => {
    const { firstTap, tapStep, packed } = fields;
    const { address, rows, k, rowStride, kStride } = fields.weights;
    const panelRows = tileOf(f.features).rows;
    const lastRow = f.i32(rows.minus(1));
    const sources = Array.from({ length: panelRows }, (_, i) => {
      const row = f.i32(index.times(panelRows).plus(i));
      // Rows behind the last are computed like the last and never stored in the output.
      return f.i32(address.plus(row.min(lastRow).times(rowStride)).plus(firstTap));
    });
    const vectorBytes = f.lanes * 4;
    const taps = f.floatsOf(3);
    const results = f.floatsOf(n);
    const at = f.i32();
    const target = f.i32(packed.address.plus(index.times(k).times(panelRows * 4)));
    f.for(0, k, 1, () => {
      for (let column = 0; column < 3; column++) {
        taps.forEach((tap, row) => {
          at.set(tapStep.times(row * 3 + column));
          tap.set(splat(loadF32(sources[0].plus(at))));
          for (let i = 1; i < panelRows; i++)
            tap.set(tap.withLane(i, loadF32(sources[i].plus(at))));
        });
        WEIGHTS[m](f, taps, results);
        results.forEach((result, i) => {
          f.store(scratch, result, (i * 3 + column) * vectorBytes);
        });
      }
      at.set(target);
      for (let i = 0; i < n; i++) {
        taps.forEach((tap, column) => {
          tap.set(f.load(scratch, (i * 3 + column) * vectorBytes));
        });
        WEIGHTS[m](f, taps, results);
        for (const result of results) {
          // Exactly the rows of the panel: what lies behind belongs to another part.
          const [first, second] = result.vectors;
          f.store(at, first);
          if (panelRows === 6) f.storePair(at, second, 0, 16);
          at.set(at.plus(packed.componentBytes));
        }
      }
      target.set(target.plus(panelRows * 4));
      for (const source of sources) source.set(source.plus(kStride));
    });
  });
}

const TASKS = { 2: defineWeightsTask(2), 4: defineWeightsTask(4) } as const;

/** Transformed and packed weights; they live as long as the frame, or longer. */
export function transformedWeights(
  frame: Frame,
  m: OutputTile,
  weights: WeightLayout,
): FieldValues<typeof COMPONENTS> {
  const { array, rows, k, turned } = weights;
  const panelRows = tileOf(frame.features).rows;
  const panels = Math.ceil(rows / panelRows);
  const componentBytes = panels * panelRows * k * 4;
  const name = `winograd ${m} ${turned ? 'turned' : ''} ${panelRows}`;
  const bytes = componentBytes * inputTile(m) ** 2;
  const address = frame.derived(array, name, bytes, (packed) =>
    frame.run(TASKS[m], panels, {
      weights,
      firstTap: turned ? 8 * 4 : 0,
      tapStep: turned ? -4 : 4,
      packed: { address: packed, componentBytes },
    }),
  );
  return { address, componentBytes };
}
