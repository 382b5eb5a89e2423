import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { expectDType, expectShape, expectThat, readOptions } from '../core/checks.ts';
import type { DType } from '../core/dtype.ts';
import { toElement } from '../core/elements.ts';
import { ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { asIntegers, type TensorLike } from './operands.ts';

const oneHotOp = defineOp<[NdArray], { numClasses: number; dtype: DType }, null>('oneHot', {
  forward: ([labels], { numClasses, dtype }) => {
    const y = NdArray.zeros([...labels.shape, numClasses], dtype);
    const { data } = y;
    const one = toElement('oneHot', 'dtype', 1, dtype);
    labels.data.forEach((label, i) => {
      data[i * numClasses + label] = one;
    });
    return { y, saved: null };
  },
  backward: 'none',
  reason: 'labels are integers',
});

/**
 * A new last axis of length `numClasses` with a 1 at the label and 0 elsewhere.
 *
 * @param labels integers of any shape, in [0, numClasses)
 * @throws DTypeError for other dtypes; ValueError for a label out of range
 */
export function oneHot(
  labels: TensorLike,
  numClasses: number,
  options: { dtype?: DType } = {},
): Tensor {
  const { dtype = 'float32' } = readOptions('oneHot', options, ['dtype']);
  const positions = asIntegers('oneHot', 'labels', labels);
  const isCount = Number.isInteger(numClasses) && numClasses >= 1;
  expectThat(isCount, 'oneHot', 'numClasses', 'an integer ≥ 1', numClasses);
  expectDType('oneHot', dtype);
  expectShape('oneHot', [...positions.shape, numClasses]);
  const outside = positions.array.data.find((label) => label < 0 || label >= numClasses);
  if (outside !== undefined) {
    throw new ValueError(`oneHot: label ${outside} is outside [0, ${numClasses})`);
  }
  return oneHotOp([positions], { numClasses, dtype });
}
