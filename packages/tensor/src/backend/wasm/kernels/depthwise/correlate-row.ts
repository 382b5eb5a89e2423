import { defineFunction, type FunctionBuilder } from '../../assembler/function.ts';
import { loadSplat } from '../../assembler/loads.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { type I32, loadI32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { TAP_WORDS } from './geometry.ts';

/** target[i] = bias + Σ_tap weight(tap) · source[i + tap], for at least `count` outputs in one row. */
const ROW = {
  source: 'address',
  target: 'address',
  count: 'i32',
  taps: 'address',
  tapCount: 'i32',
  weights: 'address',
  bias: 'f32',
  isRelu: 'flag',
} as const;

/** Vectors of outputs that are computed at once. */
const VECTORS = 4;
const TAP_BYTES = TAP_WORDS * 4;

function tapAt(tap: I32, weights: I32, number = 0): { offset: I32; weight: Floats } {
  const at = number * TAP_BYTES;
  return { offset: loadI32(tap, at), weight: loadSplat(weights.plus(loadI32(tap, at + 4))) };
}

/** Writes the loop over outputs; `addTaps` writes the sum over taps. */
function forOutputs(
  f: FunctionBuilder,
  { source, target, count, bias, isRelu }: LocalsOf<typeof ROW>,
  addTaps: (add: (offset: I32, factor: Local<Floats>) => void) => void,
): void {
  const sums = f.floatsOf(VECTORS);
  const at = f.i32();
  const bytes = VECTORS * f.lanes * 4;
  f.doWhile(() => {
    for (const sum of sums) sum.set(splat(bias));
    addTaps((offset, factor) => {
      at.set(source.plus(offset));
      sums.forEach((sum, j) => {
        sum.set(f.multiplyAdd(factor, f.load(at, j * f.lanes * 4), sum));
      });
    });
    f.if(isRelu, () => {
      for (const sum of sums) sum.set(sum.positivePart());
    });
    sums.forEach((sum, j) => {
      f.store(target, sum, j * f.lanes * 4);
    });
    source.set(source.plus(bytes));
    target.set(target.plus(bytes));
    count.set(count.minus(VECTORS * f.lanes));
  }, count.greaterThan(0));
}

/** For any number of taps. */
export const correlateAny = defineFunction('depthwiseRow', ROW, (f, p) => {
  const factor = f.f32x4();
  const tap = f.i32();
  const end = f.i32(p.taps.plus(p.tapCount.times(TAP_BYTES)));
  forOutputs(f, p, (add) => {
    tap.set(p.taps);
    f.while(tap.lessThan(end), () => {
      const { offset, weight } = tapAt(tap, p.weights);
      factor.set(weight);
      add(offset, factor);
      tap.set(tap.plus(TAP_BYTES));
    });
  });
});

/** Taps of a kernel of 3 × 3. */
export const NINE = 9;

/** For nine taps, whose weights stay in registers. */
export const correlateNine = defineFunction('depthwiseRow9', ROW, (f, p) => {
  const taps = Array.from({ length: NINE }, (_, number) => {
    const { offset, weight } = tapAt(p.taps, p.weights, number);
    return { offset: f.i32(offset), factor: f.f32x4(weight) };
  });
  forOutputs(f, p, (add) =>
    f.block((exit) =>
      taps.forEach(({ offset, factor }, number) => {
        // A jump, never taken, which V8 moves no loads across: they would take too many registers.
        if (number > 0) exit.breakIf(p.count.equals(0));
        add(offset, factor);
      }),
    ),
  );
});
