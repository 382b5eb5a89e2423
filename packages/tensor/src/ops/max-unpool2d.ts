import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import * as onWasm from '../backend/wasm/kernels/pool2d/max-unpool2d.ts';
import { expectShape, readOptions } from '../core/checks.ts';
import { newTypedArray } from '../core/dtype.ts';
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
import { composed, tensorOf } from './traced-array.ts';
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

/** Options of which all but the size of the output are there, as `[height, width]`. */
interface ReadOptions {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly outputSize?: readonly [number, number];
}

/** The places of elements in planes of the output; −1 for an element that another took it from. */
interface Places {
  readonly places: NdArray;
  readonly outputShape: Shape;
}

/** Calls `body` with each element and where it goes to among all elements of the output. */
function forPlaces({ places, outputShape }: Places, body: (i: number, at: number) => void): void {
  const [N, C, height, width] = outputShape;
  const { data } = places;
  const perPlane = data.length / (N * C);
  for (let plane = 0, i = 0; plane < N * C; plane++) {
    for (const end = i + perPlane; i < end; i++) {
      if (data[i] >= 0) body(i, plane * height * width + data[i]);
    }
  }
}

const unpool = defineKernel(
  {
    reference(x: NdArray, places: NdArray, outputShape: Shape): NdArray {
      const out = newTypedArray(x.dtype, elementCount(outputShape));
      const { data } = x;
      forPlaces({ places, outputShape }, (i, at) => {
        out[at] = data[i];
      });
      return NdArray.fromTypedArray(out, outputShape, x.dtype);
    },
    wasm: onWasm.maxUnpool2d,
  },
  { indexed: true },
);

const pick = defineKernel(
  {
    reference(gradOut: NdArray, places: NdArray): NdArray {
      const out = newTypedArray(gradOut.dtype, places.size);
      const { data } = gradOut;
      forPlaces({ places, outputShape: gradOut.shape }, (i, at) => {
        out[i] = data[at];
      });
      return NdArray.fromTypedArray(out, places.shape, gradOut.dtype);
    },
    wasm: onWasm.maxUnpool2dGrad,
  },
  { indexed: true },
);

type PlacesOp = (inputs: readonly [Tensor], places: Places) => Tensor;

// Both are linear, and each is the gradient of the other.
const maxUnpool2dOp: PlacesOp = defineOp<[NdArray], Places, Places>('maxUnpool2d', {
  forward: ([x], saved) => ({ y: unpool(x, saved.places, saved.outputShape), saved }),
  backward: (gradOut, saved) => [composed(() => maxUnpool2dGradOp([tensorOf(gradOut)], saved))],
});

const maxUnpool2dGradOp: PlacesOp = defineOp<[NdArray], Places, Places>('maxUnpool2dGrad', {
  forward: ([gradOut], saved) => ({ y: pick(gradOut, saved.places), saved }),
  backward: (gradOut, saved) => [composed(() => maxUnpool2dOp([tensorOf(gradOut)], saved))],
});

/**
 * Indices as places, of which the last of several equal ones stays.
 *
 * @throws ShapeError if an index lies outside the planes of the output
 */
function placesOf(op: string, indices: NdArray, [N, C, height, width]: Shape): NdArray {
  if (indices.size === 0) return indices;
  const area = height * width;
  const { data } = indices;
  const perPlane = data.length / (N * C);
  /** The plane, counted from 1, that took an element last. */
  const takenBy = newTypedArray('int32', area);
  let places: Int32Array | null = null;
  for (let plane = N * C, i = data.length - 1; plane > 0; plane--) {
    for (const first = i - perPlane; i > first; i--) {
      const index = data[i];
      if (index < 0 || index >= area) {
        const rule = `index ${index} is outside planes of ${height} × ${width}`;
        throw shapeError(op, rule, { indices });
      }
      if (takenBy[index] === plane) {
        places ??= Int32Array.from(data);
        places[i] = -1;
      }
      takenBy[index] = plane;
    }
  }
  return places === null ? indices : NdArray.fromTypedArray(places, indices.shape, 'int32');
}

/**
 * The options of `maxUnpool2d` for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every image
 */
export function readMaxUnpool2d(op: string, options: MaxUnpool2dOptions): ReadOptions {
  const known = ['kernelSize', 'stride', 'padding', 'outputSize'] as const;
  const {
    kernelSize,
    stride = kernelSize,
    padding = 0,
    outputSize,
  } = readOptions(op, options, known);
  const read = {
    kernelSize: resolvePair(op, 'kernelSize', kernelSize),
    stride: resolvePair(op, 'stride', stride),
    padding: resolvePair(op, 'padding', padding, 0),
  };
  if (outputSize === undefined) return read;
  return { ...read, outputSize: resolvePair(op, 'outputSize', outputSize) };
}

/** Height and width of the output. */
function sizeOfOutput([, , H, W]: Shape, options: MaxUnpool2dOptions): readonly [number, number] {
  const { kernelSize, stride, padding, outputSize } = readMaxUnpool2d('maxUnpool2d', options);
  if (outputSize !== undefined) return outputSize;
  const lengthOf = (count: number, i: number): number =>
    (count - 1) * stride[i] + kernelSize[i] - 2 * padding[i];
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
  const found = asIntegers(op, 'indices', indices);
  expectRank(op, 'input', input, 'N, C, H, W');
  expectSameFloating(op, { input });
  const [height, width] = sizeOfOutput(input.shape, options);
  const operands = {
    input: { shape: input.shape, layout: 'N, C, H, W' },
    indices: { shape: found.shape },
  };
  if (!sameShape(input.shape, found.shape)) {
    throw shapeError(op, 'input and indices must have one shape', operands);
  }
  const [N, C, H, W] = input.shape;
  if (height < 1 || width < 1 || H < 1 || W < 1) {
    throw shapeError(op, `the output would have ${height} × ${width} pixels`, operands);
  }
  const outputShape = [N, C, height, width];
  expectShape(op, outputShape);
  const places = placesOf(op, cast(found, 'int32').array, outputShape);
  return maxUnpool2dOp([input], { places, outputShape });
}
