import { importOnnx } from '@firelight/nn/formats';
import { noGrad, type Shape, tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { onnxBytes, type WrittenModel } from '../../../helpers/onnx-bytes.ts';
import { onnxInput } from '../../../helpers/onnx-input.ts';
import { runOnnx } from '../../../helpers/onnx-runtime.ts';
import { relativeError } from '../../../helpers/relative-error.ts';

type Case = readonly [name: string, shape: Shape, model: Omit<WrittenModel, 'inputs'>];

const integers = (...values: number[]) => ({ shape: [values.length], values, code: 7 });
const floats = (shape: number[]) => ({ shape, values: Array.from(onnxInput(shape).data) });
const [IMAGE, ROWS] = [
  [2, 4, 5, 7],
  [2, 3, 4],
];
const conv = { inputs: ['x', 'w', 'b'], outputs: ['y'] };
const transposed = { w: floats([4, 3, 3, 2]), b: floats([3]) };

/** Operators whose meaning or form changed from opset 7 on; onnxruntime knows them all. */
const CASES: readonly Case[] = [
  ['Softmax 12', ROWS, { opset: 12, nodes: [{ operator: 'Softmax' }] }],
  [
    'Softmax 12, axis −1',
    ROWS,
    { opset: 12, nodes: [{ operator: 'LogSoftmax', attributes: { axis: -1 } }] },
  ],
  ['Softmax 13', ROWS, { opset: 13, nodes: [{ operator: 'Softmax' }] }],
  ['Clip 10', ROWS, { opset: 10, nodes: [{ operator: 'Clip', attributes: { max: 0.25 } }] }],
  [
    'Clip 13',
    ROWS,
    {
      nodes: [{ operator: 'Clip', inputs: ['x', '', 'most'] }],
      initializers: { most: { shape: [], values: [0.25] } },
    },
  ],
  [
    'Slice 9 to no end',
    ROWS,
    {
      opset: 9,
      nodes: [
        {
          operator: 'Slice',
          attributes: { starts: [-2, 1], ends: [2 ** 53 - 1, -1], axes: [1, 2] },
        },
      ],
    },
  ],
  [
    'Pad 10',
    ROWS,
    {
      opset: 10,
      nodes: [{ operator: 'Pad', attributes: { pads: [0, 1, 2, 0, 0, 1], value: 0.5 } }],
    },
  ],
  [
    'Pad 13 below 0',
    ROWS,
    {
      opset: 13,
      nodes: [{ operator: 'Pad', inputs: ['x', 'pads'] }],
      initializers: { pads: integers(0, -1, 2, 0, 0, -1) },
    },
  ],
  [
    'Squeeze 11 and Unsqueeze 11',
    [2, 1, 3],
    {
      opset: 11,
      nodes: [
        { operator: 'Squeeze', outputs: ['s'], attributes: { axes: [1] } },
        { operator: 'Unsqueeze', inputs: ['s'], attributes: { axes: [0, 3] } },
      ],
    },
  ],
  [
    'Split 11 of three sizes',
    [2, 6],
    {
      opset: 11,
      nodes: [
        {
          operator: 'Split',
          outputs: ['a', 'y', 'c'],
          attributes: { axis: 1, split: [1, 3, 2] },
        },
      ],
    },
  ],
  [
    'ReduceSum 11',
    ROWS,
    {
      opset: 11,
      nodes: [{ operator: 'ReduceSum', attributes: { axes: [0, -1], keepdims: 0 } }],
    },
  ],
  [
    'ReduceMean 18',
    ROWS,
    {
      opset: 18,
      nodes: [
        { operator: 'ReduceMean', inputs: ['x', 'axes'], attributes: { noop_with_empty_axes: 0 } },
      ],
      initializers: { axes: integers(1) },
    },
  ],
  [
    'Upsample 9',
    IMAGE,
    {
      opset: 9,
      nodes: [{ operator: 'Upsample', inputs: ['x', 'scales'], attributes: { mode: 'linear' } }],
      initializers: { scales: { shape: [4], values: [1, 1, 2, 1.5] } },
    },
  ],
  [
    'Resize 10',
    IMAGE,
    {
      opset: 10,
      nodes: [{ operator: 'Resize', inputs: ['x', 'scales'] }],
      initializers: { scales: { shape: [4], values: [1, 1, 2, 3] } },
    },
  ],
  ['Dropout 10', ROWS, { opset: 10, nodes: [{ operator: 'Dropout' }] }],
  [
    'PRelu of fewer axes',
    IMAGE,
    {
      nodes: [{ operator: 'PRelu', inputs: ['x', 's'] }],
      initializers: { s: floats([4, 1, 1]) },
    },
  ],
  [
    'Conv of sequences',
    [2, 4, 9],
    {
      nodes: [
        { ...conv, operator: 'Conv', attributes: { pads: [2, 1], strides: [2], dilations: [2] } },
      ],
      initializers: { w: floats([6, 4, 3]), b: floats([6]) },
    },
  ],
  [
    'Conv, SAME_LOWER',
    IMAGE,
    {
      nodes: [
        { ...conv, operator: 'Conv', attributes: { auto_pad: 'SAME_LOWER', strides: [2, 2] } },
      ],
      initializers: { w: floats([6, 4, 2, 3]), b: floats([6]) },
    },
  ],
  [
    'ConvTranspose with other pads on each side',
    IMAGE,
    {
      nodes: [
        {
          ...conv,
          operator: 'ConvTranspose',
          attributes: { pads: [0, 1, 2, 0], strides: [2, 3], output_padding: [1, 0] },
        },
      ],
      initializers: transposed,
    },
  ],
  [
    'ConvTranspose to a size',
    IMAGE,
    {
      nodes: [
        {
          ...conv,
          operator: 'ConvTranspose',
          attributes: { output_shape: [10, 13], strides: [2, 2] },
        },
      ],
      initializers: transposed,
    },
  ],
  [
    'ConvTranspose, SAME_UPPER',
    IMAGE,
    {
      nodes: [
        {
          ...conv,
          operator: 'ConvTranspose',
          attributes: { auto_pad: 'SAME_UPPER', strides: [2, 1] },
        },
      ],
      initializers: transposed,
    },
  ],
  [
    'BatchNormalization of sequences',
    [2, 4, 9],
    {
      nodes: [{ operator: 'BatchNormalization', inputs: ['x', 'w', 'b', 'm', 'v'] }],
      initializers: {
        w: floats([4]),
        b: floats([4]),
        m: floats([4]),
        v: { shape: [4], values: [1, 2, 3, 4] },
      },
    },
  ],
  [
    'AveragePool that does not count padding',
    IMAGE,
    {
      nodes: [
        {
          operator: 'AveragePool',
          attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
        },
      ],
    },
  ],
  ['GlobalMaxPool of sequences', [2, 4, 9], { nodes: [{ operator: 'GlobalMaxPool' }] }],
];

describe('operators of several versions give what onnxruntime gives', () => {
  test.each(CASES)('%s', async (_, shape, model) => {
    const lengths = ['batch', ...shape.slice(1)];
    const bytes = onnxBytes({ ...model, inputs: { x: lengths } });
    const x = onnxInput(shape);
    const [expected] = await runOnnx(bytes, [x]);
    const network = await importOnnx(bytes);
    const y = noGrad(() => network.forward(x));
    expect(y.shape).toEqual(expected.shape);
    expect(relativeError(y.data, expected.data)).toBeLessThan(1e-6);
  });
});

test('before opset 7 operands were spread where the node says so', async () => {
  const network = await importOnnx(
    onnxBytes({
      opset: 6,
      nodes: [{ operator: 'Add', inputs: ['x', 'b'], attributes: { broadcast: 1, axis: 1 } }],
      inputs: { x: ['batch', 2, 3] },
      initializers: { b: { shape: [2], values: [10, 20] } },
    }),
  );
  const x = tensor([
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  ]);
  expect(network.forward(x).toArray()).toEqual([
    [
      [11, 12, 13],
      [24, 25, 26],
    ],
  ]);
});

test('whole numbers are divided to whole numbers, towards 0', async () => {
  const network = await importOnnx(
    onnxBytes({
      nodes: [
        { operator: 'Cast', outputs: ['n'], attributes: { to: 7 } },
        { operator: 'Div', inputs: ['n', 'by'] },
      ],
      inputs: { x: [4] },
      initializers: { by: integers(2, 2, -2, 3) },
    }),
  );
  const y = network.forward(tensor([7, -7, 7, -1]));
  expect([y.dtype, y.toArray()]).toEqual(['int32', [3, -3, -3, 0]]);
});

test('dropout drops while training alone', async () => {
  const network = await importOnnx(
    onnxBytes({ nodes: [{ operator: 'Dropout', attributes: { ratio: 0.5 } }], opset: 10 }),
  );
  const x = onnxInput([50, 2]);
  expect(network.forward(x).toArray()).toEqual(x.toArray());
  const dropped = Array.from(network.train().forward(x).data).filter((value) => value === 0);
  expect(dropped.length).toBeGreaterThan(20);
  expect(dropped.length).toBeLessThan(80);
});
