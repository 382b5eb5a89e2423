import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import {
  expectBoolean,
  expectDType,
  expectShape,
  expectThat,
  normalizeAxis,
  readOptions,
} from '../core/checks.ts';
import { type DType, newTypedArray } from '../core/dtype.ts';
import { toElement } from '../core/elements.ts';
import { ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { elementCount, type Shape } from '../core/shape.ts';
import { asIntegers, type TensorLike } from './operands.ts';

/** Where `oneHot` puts the axis of classes, and what it fills it with. */
export interface OneHotOptions {
  /** float32 by default. */
  readonly dtype?: DType;
  /** Place of the new axis in the result; −1, the last one, by default. */
  readonly axis?: number;
  /**
   * Whether labels below 0 count from the end, as in ONNX; false by default, because −1 often marks a label
   * to be ignored, which would become the last class.
   */
  readonly fromEnd?: boolean;
  /** Stands at the label; 1 by default. */
  readonly onValue?: number | boolean;
  /** Stands elsewhere; 0 by default. */
  readonly offValue?: number | boolean;
}

interface Attributes {
  readonly shape: Shape;
  readonly axis: number;
  readonly on: number;
  readonly off: number;
  readonly dtype: DType;
}

const oneHotOp = defineOp<[NdArray], Attributes, null>('oneHot', {
  forward: ([labels], { shape, axis, on, off, dtype }) => {
    const y = newTypedArray(dtype, elementCount(shape)).fill(off);
    const numClasses = shape[axis];
    const inner = elementCount(shape.slice(axis + 1));
    labels.data.forEach((label, i) => {
      const line = Math.floor(i / inner) * numClasses + (label < 0 ? label + numClasses : label);
      y[line * inner + (i % inner)] = on;
    });
    return { y: NdArray.fromTypedArray(y, shape, dtype), saved: null };
  },
  backward: 'none',
  reason: 'labels are integers',
});

/**
 * A new axis of length `numClasses` with a 1 at the label and 0 elsewhere.
 *
 * @param labels integers of any shape, in [0, numClasses); in [−numClasses, numClasses) with `fromEnd`
 * @returns the shape of `labels` with the new axis, the last one by default
 * @throws DTypeError for other dtypes; ValueError for a label or an axis out of range, or a value that the
 *   dtype does not hold
 * @see torch.nn.functional.one_hot, ONNX OneHot
 */
export function oneHot(
  labels: TensorLike,
  numClasses: number,
  options: OneHotOptions = {},
): Tensor {
  const known = ['dtype', 'axis', 'fromEnd', 'onValue', 'offValue'] as const;
  const given = readOptions('oneHot', options, known);
  const { dtype = 'float32', axis: at = -1, fromEnd = false, onValue = 1, offValue = 0 } = given;
  expectBoolean('oneHot', 'fromEnd', fromEnd);
  const positions = asIntegers('oneHot', 'labels', labels);
  const isCount = Number.isInteger(numClasses) && numClasses >= 1;
  expectThat(isCount, 'oneHot', 'numClasses', 'an integer ≥ 1', numClasses);
  expectDType('oneHot', dtype);
  const axis = normalizeAxis('oneHot', at, [...positions.shape, numClasses]);
  const shape = positions.shape.toSpliced(axis, 0, numClasses);
  expectShape('oneHot', shape);
  const least = fromEnd ? -numClasses : 0;
  const outside = positions.array.data.find((label) => label < least || label >= numClasses);
  if (outside !== undefined) {
    const isFromEnd = !fromEnd && outside < 0 && outside >= -numClasses;
    const hint = isFromEnd ? '; with fromEnd, labels below 0 count from the end' : '';
    throw new ValueError(`oneHot: label ${outside} is outside [${least}, ${numClasses})${hint}`);
  }
  const on = toElement('oneHot', 'onValue', onValue, dtype);
  const off = toElement('oneHot', 'offValue', offValue, dtype);
  return oneHotOp([positions], { shape, axis, on, off, dtype });
}
