import {
  BatchNorm2d,
  decodeCheckpoint,
  encodeCheckpoint,
  loadParamIntoNet,
  Module,
} from '@firelight/nn';
import { cast, DTYPES, type DType, type Tensor, tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const writtenAndRead = async (x: Tensor): Promise<Tensor> =>
  (await decodeCheckpoint(await encodeCheckpoint({ tensors: { x }, metadata: {} }), 'file')).tensors
    .x;

describe('every dtype', () => {
  const NUMBERS = [0, 1, 127];
  const CASES: Readonly<Record<DType, readonly [inFile: string, elements: ArrayBufferView]>> = {
    float64: ['F64', Float64Array.from(NUMBERS)],
    float32: ['F32', Float32Array.from(NUMBERS)],
    float16: ['F16', Uint16Array.of(0, 0x3c00, 0x57f0)],
    bfloat16: ['BF16', Uint16Array.of(0, 0x3f80, 0x42fe)],
    int64: ['I64', BigInt64Array.of(0n, 1n, 127n)],
    int32: ['I32', Int32Array.from(NUMBERS)],
    uint32: ['U32', Uint32Array.from(NUMBERS)],
    uint16: ['U16', Uint16Array.from(NUMBERS)],
    int8: ['I8', Int8Array.from(NUMBERS)],
    uint8: ['U8', Uint8Array.from(NUMBERS)],
    bool: ['BOOL', Uint8Array.of(0, 1, 1)],
  };

  test.each(DTYPES)('%s is written under its name, and read again', async (dtype) => {
    const x = tensor(NUMBERS, { dtype });
    const file = await encodeCheckpoint({ tensors: { x }, metadata: {} });
    const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
    const [inFile, { buffer, byteLength }] = CASES[dtype];
    expect(header.x.dtype).toBe(inFile);
    expect(file.subarray(start)).toEqual(new Uint8Array(buffer as ArrayBuffer, 0, byteLength));
    const back = await writtenAndRead(x);
    expect([back.dtype, back.toArray()]).toEqual([dtype, x.toArray()]);
  });
});

test('int64 keeps the largest and the smallest integers', async () => {
  const values = [2 ** 53 - 1, 1 - 2 ** 53, -1, -(2 ** 32), 2 ** 32 + 1, -(2 ** 31) - 1];
  const back = await writtenAndRead(tensor(values, { dtype: 'int64' }));
  expect([back.dtype, back.toArray()]).toEqual(['int64', values]);
});

test('a network of int32 takes integers that it holds', () => {
  class Counter extends Module {
    readonly count = this.registerBuffer('count', tensor([0], { dtype: 'int32' }));
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const network = new Counter();
  for (const dtype of ['int8', 'uint16', 'uint32', 'int64'] as const) {
    loadParamIntoNet(network, { count: tensor([100], { dtype }) });
    expect(network.count.toArray()).toEqual([100]);
    loadParamIntoNet(network, { count: tensor([0], { dtype: 'int32' }) });
  }
  for (const count of [tensor([2 ** 31], { dtype: 'int64' }), tensor([1], { dtype: 'float16' })]) {
    expect(() => loadParamIntoNet(network, { count })).toThrow(
      /is \w+ \[1\], expected int32 \[1\]/,
    );
  }
  expect(network.count.toArray()).toEqual([0]);
});

test('a network of float32 takes weights of 16 bits', async () => {
  const network = new BatchNorm2d({ numFeatures: 2 });
  const weight = tensor([0.5, -2], { dtype: 'float16' });
  const bias = cast(weight, 'bfloat16');
  const state = { ...network.stateDict(), weight, bias };
  const file = await encodeCheckpoint({ tensors: state, metadata: {} });
  loadParamIntoNet(network, await decodeCheckpoint(file, 'file'));
  const loaded = network.stateDict();
  expect([loaded.weight.dtype, loaded.bias.dtype]).toEqual(['float32', 'float32']);
  expect([loaded.weight.toArray(), loaded.bias.toArray()]).toEqual([
    [0.5, -2],
    [0.5, -2],
  ]);
});
