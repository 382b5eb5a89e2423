import {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  conv1d,
  convTranspose1d,
  DTypeError,
  maxPool1d,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const sequence = (...values: number[]): Tensor => tensor([[values]]);
const valuesOf = ({ data }: Tensor): number[] => Array.from(data);

test('an odd element of padding is at the end for same, at the beginning for same-lower', () => {
  const x = sequence(1, 2, 4);
  const sums = (padding: 'same' | 'same-lower'): number[] =>
    valuesOf(conv1d(x, ones([1, 1, 2]), null, { padding }));
  expect(sums('same')).toEqual([3, 6, 4]);
  expect(sums('same-lower')).toEqual([1, 3, 6]);
  const pool = { kernelSize: 2, stride: 1, padding: 'same-lower' } as const;
  expect(valuesOf(maxPool1d(x, pool))).toEqual([1, 2, 4]);
  expect(valuesOf(avgPool1d(x, pool))).toEqual([0.5, 1.5, 3]);
  expect(valuesOf(avgPool1d(x, { ...pool, countIncludePad: false }))).toEqual([1, 1.5, 3]);
});

test('convTranspose1d adds kernels, and a bias to elements that none reaches', () => {
  const y = convTranspose1d(sequence(1, 10), tensor([[[1, 2, 3]]]), tensor([0.5]), {
    stride: 2,
    outputPadding: 1,
  });
  expect(valuesOf(y)).toEqual([1.5, 2.5, 13.5, 20.5, 30.5, 0.5]);
  const cut = convTranspose1d(sequence(1, 10), tensor([[[1, 2, 3]]]), null, { padding: 1 });
  expect(valuesOf(cut)).toEqual([12, 23]);
  expect(convTranspose1d(zeros([0, 2, 3]), zeros([2, 1, 2])).shape).toEqual([0, 1, 4]);
});

test('adaptive pools overlap where the lengths do not divide, of whatever is no float too', () => {
  const x = sequence(1, 2, 6, 4, 5);
  expect(valuesOf(adaptiveAvgPool1d(x, 2))).toEqual([3, 5]);
  expect(valuesOf(adaptiveMaxPool1d(x, 2))).toEqual([6, 6]);
  expect(valuesOf(adaptiveAvgPool1d(x, 5))).toEqual(valuesOf(x));
  const integers = adaptiveMaxPool1d(tensor([[[-3, -1, -2]]], { dtype: 'int32' }), 2);
  expect([integers.dtype, ...integers.data]).toEqual(['int32', -1, -1]);
});

describe('mistakes are told in a sentence', () => {
  const x = zeros([1, 4, 3]);
  const weight = zeros([4, 2, 3]);
  test.each<[act: () => unknown, type: new (...args: never[]) => Error, message: RegExp]>([
    [
      () => convTranspose1d(zeros([1, 3, 3]), weight),
      ShapeError,
      /convTranspose1d: input has 3 channels, weight expects 4 .*\n.* \[1, 3, 3\].*\n.* \[4, 2, 3\]/,
    ],
    [
      () => convTranspose1d(x, weight, null, { groups: 3 }),
      ShapeError,
      /input has 4 channels, weight expects 4 in groups \(=3\) that divide them/,
    ],
    [
      () => convTranspose1d(x, weight, zeros([2]), { groups: 2 }),
      ShapeError,
      /convTranspose1d: bias must have one element for each of 4 output channels/,
    ],
    [
      () => convTranspose1d(x, weight, null, { padding: 3 }),
      ShapeError,
      /convTranspose1d: the output would have -1 elements/,
    ],
    [
      () => convTranspose1d(zeros([1, 4, 0]), weight),
      ShapeError,
      /the output would have 2 elements/,
    ],
    [() => convTranspose1d(zeros([4, 3]), weight), ShapeError, /3 axes \[N, C, L\], got 2/],
    [() => convTranspose1d(x, zeros([4, 2])), ShapeError, /weight must have 3 axes/],
    [
      () => convTranspose1d(x, weight, null, { outputPadding: 1 }),
      ValueError,
      /convTranspose1d: outputPadding must be smaller than stride or dilation \(1\), got 1/,
    ],
    [
      () => convTranspose1d(x, weight, null, { stride: 0 }),
      ValueError,
      /convTranspose1d: stride must be an integer ≥ 1, got 0/,
    ],
    [
      () => convTranspose1d(x, weight, null, { padding: [1, 1] as never }),
      ValueError,
      /convTranspose1d: padding must be an integer ≥ 0/,
    ],
    [
      () => convTranspose1d(x, zeros([4, 2, 3], { dtype: 'float64' })),
      DTypeError,
      /convTranspose1d: needs float32 or float64, the same for all/,
    ],
    [
      () => conv1d(x, zeros([1, 4, 2]), null, { padding: 'lower' as never }),
      ValueError,
      /conv1d: padding must be a number, \[before, after\], 'same', 'same-lower' or 'valid'/,
    ],
    [
      () => adaptiveAvgPool1d(x, 0),
      ValueError,
      /adaptiveAvgPool1d: outputSize must be an integer ≥ 1, got 0/,
    ],
    [() => adaptiveMaxPool1d(zeros([1, 2]), 1), ShapeError, /adaptiveMaxPool1d: input must have 3/],
    [
      () => adaptiveAvgPool1d(zeros([1, 2, 0]), 1),
      ShapeError,
      /adaptiveAvgPool1d: a window of 1 does not fit into a sequence of 0/,
    ],
    [
      () => adaptiveAvgPool1d(ones([1, 2, 3], { dtype: 'int32' }), 1),
      DTypeError,
      /adaptiveAvgPool1d: needs float32 or float64/,
    ],
  ])('%s', (act, type, message) => {
    expect(act).toThrow(type);
    expect(act).toThrow(message);
  });
});
