import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ExtremumOp } from '../backend/contract.ts';
import {
  binaryFunctions,
  casts,
  comparisons,
  extrema,
  movement,
  reductions,
} from '../backend/kernels.ts';
import { expectBoolean, normalizeAxis, readOptions } from '../core/checks.ts';
import { isFloating } from '../core/dtype.ts';
import { shapeError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import { elementCount, reducedShape, type Shape } from '../core/shape.ts';
import { cast } from './cast.ts';
import { asTensor, scalar, type TensorLike } from './operands.ts';
import { asTerms } from './promotion.ts';
import { reshape } from './reshape.ts';

/** One axis or several, negative ones counted from the end; all axes if left out. */
export type AxisOption = number | readonly number[] | undefined;

/** What becomes of the axes that are reduced. */
export interface ReduceOptions {
  /** Leave reduced axes in the result, with length 1. */
  readonly keepDims?: boolean;
}

interface Reduction {
  readonly axes: readonly number[];
}

interface ReducedFrom extends Reduction {
  readonly inputShape: Shape;
}

/** Repeats an array of the reduced shape over the axes that were reduced. */
function spread(array: NdArray, { axes, inputShape }: ReducedFrom): NdArray {
  const kept = reducedShape(inputShape, axes, { keepDims: true });
  return movement().broadcastTo(array.withShape(kept), inputShape);
}

const sumOp = defineOp<[NdArray], Reduction, ReducedFrom>('sum', {
  forward: ([x], { axes }) => ({
    y: reductions().reduce('sum', x, axes),
    saved: { axes, inputShape: x.shape },
  }),
  backward: (gradOut, saved) => [spread(gradOut, saved)],
});

const meanOp = defineOp<[NdArray], Reduction, ReducedFrom>('mean', {
  forward: ([x], { axes }) => ({
    y: reductions().reduce('mean', x, axes),
    saved: { axes, inputShape: x.shape },
  }),
  backward: (gradOut, saved) => {
    const count = elementCount(saved.inputShape) / gradOut.size;
    const share = binaryFunctions().binary('div', gradOut, scalar(count, gradOut.dtype));
    return [spread(share, saved)];
  },
});

/* @__NO_SIDE_EFFECTS__ */
function defineExtremum(name: ExtremumOp) {
  return defineOp<[NdArray], Reduction, Reduction & { x: NdArray; y: NdArray }>(name, {
    forward: ([x], { axes }) => {
      const y = extrema().extremum(name, x, axes);
      return { y, saved: { axes, x, y } };
    },
    backward: (gradOut, { axes, x, y }) => {
      const from = { axes, inputShape: x.shape };
      const isChosen = casts().cast(comparisons().compare('equal', x, spread(y, from)), x.dtype);
      const share = binaryFunctions().binary(
        'div',
        gradOut,
        reductions().reduce('sum', isChosen, axes),
      );
      return [binaryFunctions().binary('mul', isChosen, spread(share, from))];
    },
  });
}

const maxOp = defineExtremum('max');
const minOp = defineExtremum('min');

/** The axes that an option names, counted from the front. */
function resolveAxes(op: string, x: Tensor, axis: AxisOption): number[] {
  if (axis === undefined) return x.shape.map((_, i) => i);
  const axes = [axis].flat().map((a) => normalizeAxis(op, a, x.shape));
  if (new Set(axes).size !== axes.length) {
    throw shapeError(op, `axes ${axes.join(', ')} name an axis twice`, { input: x });
  }
  return axes;
}

/** Throws a `ShapeError` for axes without elements: the largest of nothing has no value. */
export function expectElements(op: string, x: Tensor, axes: readonly number[]): void {
  if (axes.some((axis) => x.shape[axis] === 0)) {
    throw shapeError(op, 'needs at least one element along the axes it reduces', { input: x });
  }
}

/** What the arguments of a reduction ask for, checked under its name. */
export function readReduction(
  op: string,
  x: Tensor,
  axis: AxisOption,
  options: ReduceOptions,
): { readonly axes: readonly number[]; readonly keepDims: boolean } {
  const { keepDims = false } = readOptions(op, options, ['keepDims']);
  expectBoolean(op, 'keepDims', keepDims);
  return { axes: resolveAxes(op, x, axis), keepDims };
}

/** Runs a reduction and gives its result the axes that it removed, if they are asked for. */
function reduceOver(
  op: string,
  x: Tensor,
  axis: AxisOption,
  options: ReduceOptions,
  run: (axes: readonly number[]) => Tensor,
): Tensor {
  const { axes, keepDims } = readReduction(op, x, axis, options);
  if (op === 'max' || op === 'min') expectElements(op, x, axes);
  const y = run(axes);
  return keepDims ? reshape(y, reducedShape(x.shape, axes, { keepDims: true })) : y;
}

/**
 * y = Σ x over the given axes. Booleans and narrow integers are summed as int32, which wraps modulo 2³².
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function sum(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const input = asTensor('sum', 'x', x);
  const terms = asTerms(input);
  return reduceOver('sum', input, axis, options, (axes) => sumOp([terms], { axes }));
}

/**
 * y = (1 / count) · Σ x over the given axes; integers are summed exactly and give float32. The mean of
 * nothing is NaN.
 *
 * @throws ValueError or ShapeError if an axis does not exist or is named twice
 */
export function mean(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const input = asTensor('mean', 'x', x);
  return reduceOver('mean', input, axis, options, (axes) =>
    isFloating(input.dtype)
      ? meanOp([input], { axes })
      : cast(meanOp([cast(input, 'float64')], { axes }), 'float32'),
  );
}

/**
 * The largest element over the given axes; equal ones share the gradient.
 *
 * @throws ValueError or ShapeError if an axis does not exist, is named twice, or is empty
 */
export function max(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const input = asTensor('max', 'x', x);
  return reduceOver('max', input, axis, options, (axes) => maxOp([input], { axes }));
}

/**
 * The smallest element over the given axes; equal ones share the gradient.
 *
 * @throws ValueError or ShapeError if an axis does not exist, is named twice, or is empty
 */
export function min(x: TensorLike, axis?: AxisOption, options: ReduceOptions = {}): Tensor {
  const input = asTensor('min', 'x', x);
  return reduceOver('min', input, axis, options, (axes) => minOp([input], { axes }));
}
