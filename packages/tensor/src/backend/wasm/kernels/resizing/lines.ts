import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadF32x4, loadFloats, loadSplat } from '../../assembler/loads.ts';
import { type I32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { defineTask } from '../../runtime/task.ts';
import { LongSum } from '../lanes/long-sum.ts';
import { partRange } from '../loops/part-range.ts';
import { forPlane } from '../loops/planes.ts';
import { BAND_PRODUCT, forBandRows } from './band.ts';

/** The last axis: lines of elements side by side. */

/** Outputs that are computed at once. */
export const LANES = 4;

/** Elements times weights; 0 where the weight is, even for infinite elements. */
function weighted(elements: Floats, weights: Floats): Floats {
  return weights.notEquals(splat(0)).and(elements.bits()).bits().times(weights);
}

/** The elements at four addresses. */
function gathered([first, ...others]: readonly I32[], offset: number): Floats {
  return others.reduce(
    (lanes, address, i) => lanes.withLane(i + 1, loadF32(address, offset)),
    loadSplat(first, offset),
  );
}

/** Stores the first `count` of four lanes, and nothing behind them, where others may write. */
function storeFirst(f: FunctionBuilder, target: I32, values: Floats, count: I32): void {
  f.if(
    count.atLeast(LANES),
    () => f.store(target, values),
    () => {
      for (let lane = 0; lane < LANES - 1; lane++) {
        f.if(count.greaterThan(lane), () => f.store(target, values.lane(lane), lane * 4));
      }
    },
  );
}

/**
 * Sums of few terms, as many for each output.
 *
 * @param known the number of terms, if the code is for one alone
 */
function defineGather(name: string, known: number | null) {
  return defineTask(
    name,
    {
      source: 'address',
      target: 'address',
      lines: { count: 'i32', ofPart: 'i32', length: 'i32', rows: 'i32' },
      width: 'i32',
      /** See `evenTable`. */
      table: 'address',
    },
    (f, { source, target, lines, width, table }, { index }) => {
      const { first, end } = partRange(f, index, lines.ofPart, lines.count);
      const padded = f.i32(
        lines.rows
          .plus(LANES - 1)
          .and(-LANES)
          .times(4),
      );
      const entry = f.i32();
      const weight = f.i32();
      const left = f.i32();
      const sum = f.f32x4();
      const addresses = Array.from({ length: LANES }, () => f.i32());
      const addTerm = (offset: number): void => {
        sum.set(sum.plus(weighted(gathered(addresses, offset), f.f32x4(loadF32x4(weight)))));
        weight.set(weight.plus(padded));
      };
      target.set(target.plus(first.times(lines.rows).times(4)));
      f.for(first, end, 1, (line) => {
        const start = f.i32(source.plus(line.times(lines.length).times(4)));
        entry.set(table);
        left.set(lines.rows);
        f.doWhile(() => {
          addresses.forEach((address, i) => {
            address.set(start.plus(loadI32(entry, i * 4)));
          });
          weight.set(entry.plus(padded));
          sum.set(f.constants.splat(-0));
          if (known !== null) for (let i = 0; i < known; i++) addTerm(i * 4);
          else {
            f.for(0, width, 1, () => {
              addTerm(0);
              for (const address of addresses) address.set(address.plus(4));
            });
          }
          storeFirst(f, target, sum, left);
          // The target of the next line is right behind that of this one.
          target.set(target.plus(f.i32(left).min(LANES).times(4)));
          entry.set(entry.plus(LANES * 4));
          left.set(left.minus(LANES));
        }, left.greaterThan(0));
      });
    },
  );
}

const GATHERS = [1, 2, 3, 4].map((width) => defineGather(`gather${width}`, width));
const gatherMore = defineGather('gatherMore', null);

/** The task for rows of so many weights. */
export function gatherTaskFor(width: number): typeof gatherMore {
  return GATHERS[width - 1] ?? gatherMore;
}

/** Sums of many terms, which lie side by side. */
export const dotsTask = defineTask('weightedDots', BAND_PRODUCT, (f, p, { index }) => {
  const sum = new LongSum(f);
  forBandRows(f, p, index, ({ target, source, weights, terms }) => {
    sum.clear();
    forPlane(f, terms, [source, weights], {
      vector(lanes) {
        const elements = loadFloats(source, 0, lanes);
        const factors = f.floatsLike(elements, loadFloats(weights, 0, lanes));
        sum.collect(weighted(elements, factors));
      },
      single() {
        const factor = f.f32(loadF32(weights));
        f.if(factor.notEquals(0), () => sum.addSingle(factor.times(loadF32(source))));
      },
      flush: () => sum.flush(),
    });
    f.store(target, sum.total.toF32());
  });
});
