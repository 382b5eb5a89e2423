import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import {
  binaryFunctions,
  casts,
  choice,
  comparisons,
  gathering,
  movement,
} from '../backend/kernels.ts';
import { withKernels } from '../backend/registry.ts';
import { copyOfElements, isFloating, newTypedArray } from '../core/dtype.ts';
import { NdArray } from '../core/ndarray.ts';
import { add, mul } from './arithmetic.ts';
import { concat } from './concat.ts';
import { gatherGradOp, gatherOp, integers } from './gather.ts';
import { scalar } from './operands.ts';
import { asNumeric } from './promotion.ts';
import { arrayOf, TracedArray, tensorOf } from './traced-array.ts';

/** Rows `[M, ...]` with other rows `[K, ...]` written to places among them, or combined with those there. */

/** What becomes of an element, and of several that are written to one place. */
export type ScatterReduction = 'none' | 'add' | 'multiply' | 'max' | 'min';

type Combination = 'multiply' | 'max' | 'min';

interface Operands {
  readonly rows: NdArray;
  readonly source: NdArray;
  readonly at: NdArray;
}

interface Saved extends Operands {
  readonly combination: Combination;
  /** The output, of an extreme; gradients of products need none. */
  readonly y: NdArray | null;
}

/** The rows at positions. */
export const pick = (rows: Tensor, positions: Int32Array): Tensor =>
  gatherOp([rows, integers(positions, [positions.length])], { axis: 0 });

/** `rows` with some of `source` in the place of others; of several for one place the last stays. */
function replaced(rows: Tensor, at: Int32Array, source: Tensor): Tensor {
  const from = Int32Array.from({ length: rows.shape[0] }, (_, row) => row);
  for (let i = 0; i < at.length; i++) from[at[i]] = rows.shape[0] + i;
  return pick(concat([rows, source]), from);
}

function combining(combination: Combination, isInteger: boolean) {
  if (combination === 'max') return Math.max;
  if (combination === 'min') return Math.min;
  return isInteger ? Math.imul : (a: number, b: number) => a * b;
}

/** Calls `visit` with each element's place among those of `source`, and among those of the rows. */
function eachElement(
  at: NdArray,
  width: number,
  isReverse: boolean,
  visit: (from: number, to: number) => void,
): void {
  const { data, size } = at;
  for (let i = 0; i < size; i++) {
    const k = isReverse ? size - 1 - i : i;
    for (let j = 0; j < width; j++) visit(k * width + j, data[k] * width + j);
  }
}

const scatterKernel = defineKernel({
  reference(rows: NdArray, source: NdArray, at: NdArray, combination: Combination): NdArray {
    const combine = combining(combination, !isFloating(rows.dtype));
    const out = copyOfElements(rows.data, rows.dtype);
    const { data } = source;
    eachElement(at, source.size / at.size, false, (from, to) => {
      out[to] = combine(out[to], data[from]);
    });
    return NdArray.fromTypedArray(out, rows.shape, rows.dtype);
  },
});

/** Gradients of products by their factors: all factors before one, times all behind it, and no division. */
const productGradKernel = defineKernel({
  reference(gradOut: NdArray, { rows, source, at }: Operands): NdArray[] {
    const [before, behind] = [
      copyOfElements(rows.data, rows.dtype),
      copyOfElements(gradOut.data, gradOut.dtype),
    ];
    const gradSource = newTypedArray(source.dtype, source.size);
    const { data } = source;
    const width = source.size / at.size;
    eachElement(at, width, false, (from, to) => {
      gradSource[from] = before[to];
      before[to] *= data[from];
    });
    eachElement(at, width, true, (from, to) => {
      gradSource[from] *= behind[to];
      behind[to] *= data[from];
    });
    return [
      NdArray.fromTypedArray(behind, rows.shape, rows.dtype),
      NdArray.fromTypedArray(gradSource, source.shape, source.dtype),
    ];
  },
});

/** Numbers of rows to write, in rounds in which every place is written to once at most. */
function roundsOf(at: ArrayLike<number>): Int32Array[] {
  const rounds: number[][] = [];
  const times = new Map<number, number>();
  for (let i = 0; i < at.length; i++) {
    const round = times.get(at[i]) ?? 0;
    times.set(at[i], round + 1);
    rounds[round] ??= [];
    rounds[round].push(i);
  }
  return rounds.map((round) => Int32Array.from(round));
}

/** The same gradients made of operations, for gradients of them. */
function productGradients(
  gradOut: Tensor,
  rows: Tensor,
  source: Tensor,
  at: ArrayLike<number>,
): Tensor[] {
  const rounds = roundsOf(at).map((round) => ({
    round,
    places: Int32Array.from(round, (i) => at[i]),
    factors: pick(source, round),
  }));
  let product = rows;
  const before = rounds.map(({ places, factors }) => {
    const own = pick(product, places);
    product = replaced(product, places, mul(own, factors));
    return own;
  });
  let behind = gradOut;
  const parts = rounds
    .map(({ places, factors }, i) => ({ places, factors, own: before[i] }))
    .reverse()
    .map(({ places, factors, own }) => {
      const others = pick(behind, places);
      behind = replaced(behind, places, mul(others, factors));
      return mul(own, others);
    })
    .reverse();
  const order = new Int32Array(at.length);
  let next = 0;
  for (const { round } of rounds) for (const i of round) order[i] = next++;
  return [behind, pick(concat(parts), order)];
}

function productBackward(gradOut: NdArray, { rows, source, at }: Operands): NdArray[] {
  const isRecorded = [gradOut, rows, source].some((array) => array instanceof TracedArray);
  if (!isRecorded) return productGradKernel(gradOut, { rows, source, at });
  const gradients = withKernels(null, () =>
    productGradients(tensorOf(gradOut), tensorOf(rows), tensorOf(source), at.data),
  );
  return gradients.map(arrayOf);
}

/** Equal ones share the gradient; all of it goes to each where NaN leaves nothing to compare. */
function extremeBackward(
  loses: 'less' | 'greater',
  gradOut: NdArray,
  { rows, source, at }: Operands,
  y: NdArray,
): NdArray[] {
  const { binary } = binaryFunctions();
  const { cast } = casts();
  const { compare } = comparisons();
  const { gather, gatherGrad } = gathering();
  const { where } = choice();
  const { broadcastTo } = movement();
  const { shape, dtype } = rows;
  const chosen = gather(y, at, 0);
  const areEqual = (a: NdArray, b: NdArray): NdArray => cast(compare('equal', a, b), dtype);
  const ofSource = gatherGrad(areEqual(source, chosen), at, 0, shape);
  const count = binary('add', areEqual(rows, y), ofSource);
  const share = binary('div', gradOut, binary('maximum', count, scalar(1, dtype)));
  const unless = (lost: NdArray, gradient: NdArray): NdArray =>
    where(lost, broadcastTo(scalar(0, dtype), gradient.shape), gradient);
  return [
    unless(compare(loses, rows, y), share),
    unless(compare(loses, source, chosen), gather(share, at, 0)),
  ];
}

const scatterOp = defineOp<[NdArray, NdArray, NdArray], { combination: Combination }, Saved>(
  'scatter',
  {
    forward([rows, source, at], { combination }) {
      const y = scatterKernel(rows, source, at, combination);
      const kept = combination === 'multiply' ? null : y;
      return { y, saved: { rows, source, at, y: kept, combination } };
    },
    backward(gradOut, { combination, y, ...saved }) {
      const gradients =
        y === null
          ? productBackward(gradOut, saved)
          : extremeBackward(combination === 'max' ? 'less' : 'greater', gradOut, saved, y);
      return [...gradients, null];
    },
  },
);

/** Rows `[M, ...]` with `source` `[K, ...]` written to, or combined with, rows `at`. */
export function scatterRows(
  rows: Tensor,
  at: Int32Array,
  source: Tensor,
  reduction: ScatterReduction,
): Tensor {
  if (at.length === 0) return rows;
  if (reduction === 'none') return replaced(rows, at, source);
  const places = integers(at, [at.length]);
  if (reduction === 'add') {
    return add(rows, gatherGradOp([source, places], { axis: 0, inputShape: rows.shape }));
  }
  return scatterOp([asNumeric(rows), asNumeric(source), places], { combination: reduction });
}
