import { Tensor } from '../autograd/tensor.ts';
import { expectDType, expectInteger, expectShape, readOptions } from '../core/checks.ts';
import type { DType } from '../core/dtype.ts';
import { toElement } from '../core/elements.ts';
import { shapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { asAnyTensor, type TensorLike } from './operands.ts';
import { where } from './where.ts';

/** A matrix of booleans: whether column − row passes a test. */
function mask(rows: number, columns: number, test: (offset: number) => boolean): Tensor {
  const data = new Uint8Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    data[i] = Number(test((i % columns) - Math.floor(i / columns)));
  }
  return new Tensor(NdArray.fromTypedArray(data, [rows, columns], 'bool'));
}

function triangle(op: string, x: TensorLike, diagonal: number, isLower: boolean): Tensor {
  const input = asAnyTensor(op, 'x', x);
  expectInteger(op, 'diagonal', diagonal);
  if (input.rank < 2) throw shapeError(op, 'needs matrices: at least two axes', { input });
  const [rows, columns] = input.shape.slice(-2);
  const isKept = mask(rows, columns, (offset) =>
    isLower ? offset <= diagonal : offset >= diagonal,
  );
  return where(isKept, input, input.dtype === 'bool' ? false : 0);
}

/**
 * The lower triangle of matrices: 0 above a diagonal.
 *
 * @param x `[..., M, N]`
 * @param diagonal the last one kept: 0 is the main one, 1 the next above it
 * @throws ShapeError for fewer than two axes; ValueError unless `diagonal` is an integer
 * @see numpy.tril
 */
export function tril(x: TensorLike, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal, true);
}

/**
 * The upper triangle of matrices: 0 below a diagonal.
 *
 * @param x `[..., M, N]`
 * @param diagonal the first one kept: 0 is the main one, 1 the next above it
 * @throws ShapeError for fewer than two axes; ValueError unless `diagonal` is an integer
 * @see numpy.triu
 */
export function triu(x: TensorLike, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal, false);
}

/**
 * A matrix of zeros with ones on a diagonal.
 *
 * @param options `columns`: as many as rows by default; `diagonal`: 0, the main one, by default; `dtype`:
 *   float32 by default
 * @throws ValueError unless sizes are integers ≥ 0
 * @see numpy.eye
 */
export function eye(
  rows: number,
  options: { columns?: number; diagonal?: number; dtype?: DType } = {},
): Tensor {
  const known = ['columns', 'diagonal', 'dtype'] as const;
  const { columns = rows, diagonal = 0, dtype = 'float32' } = readOptions('eye', options, known);
  expectInteger('eye', 'rows', rows, 0);
  expectInteger('eye', 'columns', columns, 0);
  expectInteger('eye', 'diagonal', diagonal);
  expectDType('eye', dtype);
  expectShape('eye', [rows, columns]);
  const y = NdArray.zeros([rows, columns], dtype);
  const { data } = y;
  const one = toElement('eye', 'dtype', 1, dtype);
  for (let row = Math.max(0, -diagonal); row < rows && row + diagonal < columns; row++) {
    data[row * columns + row + diagonal] = one;
  }
  return new Tensor(y);
}
