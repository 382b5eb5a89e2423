import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel } from '../backend/define-kernel.ts';
import { runningSums } from '../backend/wasm/kernels/reduce/running-sums.ts';
import { expectBoolean, normalizeAxis, readOptions } from '../core/checks.ts';
import { isFloating, newTypedArray } from '../core/dtype.ts';
import { NdArray } from '../core/ndarray.ts';
import { splitAtAxis } from '../core/shape.ts';
import { mul } from './arithmetic.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { pad } from './pad.ts';
import { asTerms } from './promotion.ts';
import { asLines, reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { composed, tensorOf } from './traced-array.ts';

/** How `cumsum` and `cumprod` run along their axis. */
export interface ScanOptions {
  /** Whether an element itself is left out of its sum; false by default. */
  readonly exclusive?: boolean;
  /** Whether they run from the end; false by default. */
  readonly reverse?: boolean;
}

interface Scan {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

const cumsumKernel = defineKernel({
  reference(x: NdArray, { axis, exclusive, reverse }: Scan): NdArray {
    const [before, length, after] = splitAtAxis(x.shape, axis);
    const { data } = x;
    const isInteger = !isFloating(x.dtype);
    const out = newTypedArray(x.dtype, data.length);
    for (let line = 0; line < before * after; line++) {
      const start = Math.floor(line / after) * length * after + (line % after);
      let total = 0;
      for (let i = 0; i < length; i++) {
        const at = start + (reverse ? length - 1 - i : i) * after;
        if (exclusive) out[at] = total;
        total += data[at];
        if (isInteger) total |= 0;
        if (!exclusive) out[at] = total;
      }
    }
    return NdArray.fromTypedArray(out, x.shape, x.dtype);
  },
  wasm: runningSums,
});

type ScanOp = (inputs: readonly [Tensor], scan: Scan) => Tensor;

/** Linear: its gradient is the same from the other end. */
const cumsumOp: ScanOp = defineOp<[NdArray], Scan, Scan>('cumsum', {
  forward: ([x], scan) => ({ y: cumsumKernel(x, scan), saved: scan }),
  backward: (gradOut, scan) => [
    composed(() => cumsumOp([tensorOf(gradOut)], { ...scan, reverse: !scan.reverse })),
  ],
});

function readScan(op: string, x: TensorLike, axis: number, options: ScanOptions) {
  const { exclusive = false, reverse = false } = readOptions(op, options, ['exclusive', 'reverse']);
  expectBoolean(op, 'exclusive', exclusive);
  expectBoolean(op, 'reverse', reverse);
  const given = asTensor(op, 'x', x);
  const input = asTerms(asLines(given));
  const scan = { axis: normalizeAxis(op, axis, input.shape), exclusive, reverse };
  return { input, scan, shape: given.shape };
}

/**
 * Sums along an axis: y_i = Σ_{j ≤ i} x_j; a scalar is a line of one element. Booleans and narrow
 * integers are summed as int32, which wraps.
 *
 * @param options `exclusive`: Σ_{j < i}; `reverse`: from the end
 * @throws ValueError if the axis does not exist
 * @see numpy.cumsum, ONNX CumSum
 */
export function cumsum(x: TensorLike, axis = -1, options: ScanOptions = {}): Tensor {
  const { input, scan, shape } = readScan('cumsum', x, axis, options);
  return reshape(cumsumOp([input], scan), shape);
}

/**
 * Products along an axis: y_i = Π_{j ≤ i} x_j; a scalar is a line of one element. Their gradient is
 * right where elements are 0.
 *
 * @param options `exclusive`: Π_{j < i}; `reverse`: from the end
 * @throws ValueError if the axis does not exist
 * @see numpy.cumprod, ONNX CumProd
 */
export function cumprod(x: TensorLike, axis = -1, options: ScanOptions = {}): Tensor {
  const { input, scan, shape } = readScan('cumprod', x, axis, options);
  const length = input.shape[scan.axis];
  /** x moved along the axis by some places, behind ones. */
  const moved = (y: Tensor, by: number): Tensor => {
    const margins = y.shape.map((_, i): readonly [number, number] => {
      if (i !== scan.axis) return [0, 0];
      return scan.reverse ? [0, by] : [by, 0];
    });
    const kept = scan.reverse ? ([by, by + length] as const) : ([0, length] as const);
    const ranges = y.shape.map((_, i) => (i === scan.axis ? kept : null));
    return slice(pad(y, margins, { value: 1 }), ranges);
  };
  // Each step doubles the number of factors: products alone, so that no factor is divided by.
  let y = scan.exclusive ? moved(input, 1) : input;
  for (let factors = 1; factors < length; factors *= 2) y = mul(y, moved(y, factors));
  return reshape(y, shape);
}
