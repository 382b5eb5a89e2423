import {
  CELU,
  ELU,
  GELU,
  HardShrink,
  HardSigmoid,
  Identity,
  LeakyReLU,
  LogSoftmax,
  type Module,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  SoftShrink,
  Softsign,
  Tanh,
} from '@firelight/nn';
import { DTypeError, type Tensor, tensor } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { expectValues } from '../../helpers/close.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Each layer with what it is to make of −2, 0, 1 and 7 (values of the error function: DLMF, 7.2). */
const LAYERS: readonly [name: string, layer: Module, expected: number[]][] = [
  ['ReLU6', new ReLU6(), [0, 0, 1, 6]],
  ['LeakyReLU', new LeakyReLU(), [-0.02, 0, 1, 7]],
  ['LeakyReLU with a slope', new LeakyReLU({ negativeSlope: 0.5 }), [-1, 0, 1, 7]],
  ['GELU', new GELU(), [-0.0455, 0, 0.84134, 7]],
  ['GELU by tanh', new GELU({ approximate: 'tanh' }), [-0.0454, 0, 0.84119, 7]],
  ['ELU', new ELU({ alpha: 2 }), [2 * Math.expm1(-2), 0, 1, 7]],
  ['CELU', new CELU({ alpha: 2 }), [2 * Math.expm1(-1), 0, 1, 7]],
  ['SELU', new SELU({ scale: 2, alpha: 3 }), [6 * Math.expm1(-2), 0, 2, 14]],
  ['HardSigmoid', new HardSigmoid({ alpha: 0.2 }), [0.1, 0.5, 0.7, 1]],
  ['HardShrink', new HardShrink({ lambda: 1 }), [-2, 0, 0, 7]],
  ['SoftShrink', new SoftShrink(), [-1.5, 0, 0.5, 6.5]],
  ['Softsign', new Softsign(), [-2 / 3, 0, 1 / 2, 7 / 8]],
  ['SiLU', new SiLU(), [-2, 0, 1, 7].map((x) => x * sigmoid(x))],
  ['Sigmoid', new Sigmoid(), [-2, 0, 1, 7].map(sigmoid)],
  ['Tanh', new Tanh(), [-2, 0, 1, 7].map(Math.tanh)],
  ['Identity', new Identity(), [-2, 0, 1, 7]],
];

test.each(LAYERS)('%s', (_, layer, expected) => {
  expectValues(layer.forward(tensor([-2, 0, 1, 7])), expected, 4);
});

test('Softmax and LogSoftmax take the last axis, or that which is named', () => {
  const x = tensor([
    [0, Math.log(3)],
    [Math.log(2), 0],
  ]);
  const rows = [
    [1 / 4, 3 / 4],
    [2 / 3, 1 / 3],
  ];
  const columns = [
    [1 / 3, 3 / 4],
    [2 / 3, 1 / 4],
  ];
  const logs = (values: number[][]): number[][] => values.map((row) => row.map(Math.log));
  expectValues(new Softmax().forward(x), rows);
  expectValues(new Softmax({ axis: 0 }).forward(x), columns);
  expectValues(new LogSoftmax().forward(x), logs(rows));
  expectValues(new LogSoftmax({ axis: 0 }).forward(x), logs(columns));
});

test.each(LAYERS)('%s passes a gradient, has no parameters and refuses no tensor', (_, layer) => {
  const x: Tensor = tensor([0.5, 1], { requiresGrad: true });
  layer.forward(x).backward(tensor([1, 1]));
  expect(x.grad).not.toBeNull();
  expect(layer.parameters()).toEqual([]);
  expect(() => layer.forward('x' as never)).toThrow(DTypeError);
});
