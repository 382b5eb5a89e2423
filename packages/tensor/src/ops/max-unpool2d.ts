import { defineOp } from '../autograd/define-op.ts';
import { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { expectShape, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { elementCount, type Shape, sameShape } from '../core/shape.ts';
import type { Pair } from '../core/window.ts';
import { cast } from './cast.ts';
import {
  asIntegers,
  asTensor,
  expectRank,
  expectSameFloating,
  type TensorLike,
} from './operands.ts';
import { where } from './where.ts';
import { resolvePair } from './window-options.ts';

/** The pooling that `maxUnpool2d` goes back from, and the size of its input. */
export interface MaxUnpool2dOptions {
  /** Size of the window, `number` or `[h, w]`. */
  readonly kernelSize: Pair;
  /** Pixels between windows, `number` or `[h, w]`; the kernel size by default. */
  readonly stride?: Pair;
  /** Pixels on each side that were no pixels of the image, `number` or `[h, w]`; 0 by default. */
  readonly padding?: Pair;
  /** `[H', W']`, or one number for both; by default the least that windows of these options need. */
  readonly outputSize?: Pair;
}

/** Positions in planes of H · W elements as positions among all elements, flat. */
export function flatIndices(indices: NdArray, [, , H, W]: Shape): NdArray {
  const [N, C] = indices.shape;
  const perPlane = indices.size / (N * C);
  const { data } = indices;
  const flat = new Int32Array(data.length);
  for (let i = 0; i < flat.length; i++) flat[i] = Math.floor(i / perPlane) * H * W + data[i];
  return NdArray.fromTypedArray(flat, [flat.length], 'int32');
}

const maxUnpool2dOp = defineOp<
  [NdArray],
  { indices: NdArray; outputShape: Shape },
  { indices: NdArray; outputShape: Shape }
>('maxUnpool2d', {
  // Without doubles, to add to zeros is to write.
  forward: ([x], { indices, outputShape }) => ({
    y: kernels().maxPool2dGrad(x, indices, outputShape),
    saved: { indices, outputShape },
  }),
  backward(gradOut, { indices, outputShape }) {
    const g = gradOut.withShape([elementCount(outputShape)]);
    const picked = kernels().gather(g, flatIndices(indices, outputShape), 0);
    return [picked.withShape(indices.shape)];
  },
});

/** Which elements stay, where indices name places twice: the last. Null if all do. */
function lastOnes(indices: NdArray, outputShape: Shape): Tensor | null {
  const { data } = flatIndices(indices, outputShape);
  const isTaken = new Uint8Array(elementCount(outputShape));
  const stays = new Uint8Array(data.length);
  let count = 0;
  for (let i = data.length - 1; i >= 0; i--) {
    stays[i] = 1 - isTaken[data[i]];
    isTaken[data[i]] = 1;
    count += stays[i];
  }
  if (count === data.length) return null;
  return new Tensor(NdArray.fromTypedArray(stays, indices.shape, 'bool'));
}

/** Height and width of the output. */
function outputSize(
  op: string,
  [, , H, W]: Shape,
  { kernelSize, stride = kernelSize, padding = 0, outputSize: size }: MaxUnpool2dOptions,
): readonly [number, number] {
  const kernel = resolvePair(op, 'kernelSize', kernelSize);
  const steps = resolvePair(op, 'stride', stride);
  const margins = resolvePair(op, 'padding', padding, 0);
  if (size !== undefined) return resolvePair(op, 'outputSize', size);
  const lengthOf = (count: number, i: number): number =>
    (count - 1) * steps[i] + kernel[i] - 2 * margins[i];
  return [lengthOf(H, 0), lengthOf(W, 1)];
}

/**
 * Puts each element back to where a max-pooling found it, into zeros:
 * y[n, c, indices[n, c, h, w]] = x[n, c, h, w], with y's planes seen as flat. Where windows overlapped
 * and an index occurs twice, the last one in row-major order stays, and only it gets a gradient.
 *
 * @param x `[N, C, H, W]`
 * @param indices int32 or uint8 of the same shape, offsets within planes `[H', W']`, such as
 *   `maxPool2dWithIndices` gives
 * @returns `[N, C, H', W']` with H' = (H − 1)·s + k − 2·pad, or `outputSize`
 * @throws ShapeError if shapes differ, the output would have no pixels or an index lies outside of it
 * @throws ValueError for options out of range; DTypeError for other dtypes
 * @see torch.nn.MaxUnpool2d
 */
export function maxUnpool2d(
  x: TensorLike,
  indices: TensorLike,
  options: MaxUnpool2dOptions,
): Tensor {
  const op = 'maxUnpool2d';
  const input = asTensor(op, 'x', x);
  const places = asIntegers(op, 'indices', indices);
  expectRank(op, 'input', input, 'N, C, H, W');
  expectSameFloating(op, { input });
  const known = ['kernelSize', 'stride', 'padding', 'outputSize'] as const;
  const [height, width] = outputSize(op, input.shape, readOptions(op, options, known));
  const operands = {
    input: { shape: input.shape, layout: 'N, C, H, W' },
    indices: { shape: places.shape },
  };
  if (!sameShape(input.shape, places.shape)) {
    throw shapeError(op, 'input and indices must have one shape', operands);
  }
  const [N, C, H, W] = input.shape;
  if (height < 1 || width < 1 || H < 1 || W < 1) {
    throw shapeError(op, `the output would have ${height} × ${width} pixels`, operands);
  }
  const outputShape = [N, C, height, width];
  expectShape(op, outputShape);
  const positions = cast(places, 'int32').array;
  const outside = positions.data.find((index) => index < 0 || index >= height * width);
  if (outside !== undefined) {
    const rule = `index ${outside} is outside planes of ${height} × ${width}`;
    throw shapeError(op, rule, operands);
  }
  const stays = lastOnes(positions, outputShape);
  const kept = stays === null ? input : where(stays, input, 0);
  return maxUnpool2dOp([kept], { indices: positions, outputShape });
}
