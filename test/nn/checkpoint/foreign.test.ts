import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  BatchNorm2d,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  loadParamIntoNet,
  type Snapshot,
} from '@firelight/nn';
import {
  cast,
  type DType,
  FirelightError,
  memory,
  ones,
  type Tensor,
  type TypedArray,
  tensor,
  tidy,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { oneTensor, safetensorsBytes } from '../../helpers/safetensors-bytes.ts';
import { sharedPath } from '../../helpers/shared.ts';

const read = async (bytes: Uint8Array): Promise<Tensor> =>
  (await decodeCheckpoint(bytes, 'file')).tensors.x;
const sha256 = (data: NodeJS.ArrayBufferView): string =>
  createHash('sha256').update(data).digest('hex');

describe('floats of 16 bits', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

  /** The digest of NumPy and PyTorch, see test/fixtures/checkpoints/half-floats.py. */
  const digests = {
    F16: '385ff5fe69182797cda5f1827e20cf423f4416bc9246f27d0eec27cac9039259',
    BF16: 'f12e27efe34841dfd6391497b86f389096b03a376586e1d9691bba0a8de3980a',
  };
  test.each(Object.entries(digests))(
    '%s: all 65,536 as others have them',
    async (dtype, digest) => {
      const x = await read(oneTensor(dtype, all));
      expect([x.dtype, x.shape]).toEqual([dtype === 'F16' ? 'float16' : 'bfloat16', [65536]]);
      const bits = Uint32Array.from(new Uint32Array(x.data.slice().buffer), (word, i) =>
        Number.isNaN(x.data[i]) ? 0x7fc00000 : word,
      );
      expect(sha256(bits)).toBe(digest);
    },
  );

  test('NaN keeps its sign and what it carries', async () => {
    const halves = cast(await read(oneTensor('F16', Uint16Array.of(0x7e00, 0xfc01))), 'float32');
    expect([...new Uint32Array(halves.data.slice().buffer)]).toEqual([0x7fc00000, 0xff802000]);
    const upper = cast(await read(oneTensor('BF16', Uint16Array.of(0x7fc1, 0xff81))), 'float32');
    expect([...new Uint32Array(upper.data.slice().buffer)]).toEqual([0x7fc10000, 0xff810000]);
  });
});

describe('integers', () => {
  const cases: [dtype: string, elements: ArrayBufferView, becomes: string, values: number[]][] = [
    ['I8', Int8Array.of(-128, 0, 127), 'int8', [-128, 0, 127]],
    ['U8', Uint8Array.of(0, 255), 'uint8', [0, 255]],
    ['I16', Int16Array.of(-32768, 32767), 'int32', [-32768, 32767]],
    ['U16', Uint16Array.of(0, 65535), 'uint16', [0, 65535]],
    ['I32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1), 'int32', [-(2 ** 31), 2 ** 31 - 1]],
    ['U32', Uint32Array.of(0, 2 ** 32 - 1), 'uint32', [0, 2 ** 32 - 1]],
    ['I64', BigInt64Array.of(-1n, 7n, -(2n ** 31n)), 'int64', [-1, 7, -(2 ** 31)]],
    ['I64', BigInt64Array.of(2n ** 31n, 1n - 2n ** 53n), 'int64', [2 ** 31, 1 - 2 ** 53]],
    ['I64', BigInt64Array.of(5n, -(2n ** 63n)), 'float64', [5, -(2 ** 63)]],
    ['U64', BigUint64Array.of(2n ** 53n - 1n, 3n), 'int64', [2 ** 53 - 1, 3]],
    ['U64', BigUint64Array.of(2n ** 53n), 'float64', [2 ** 53]],
    ['U64', BigUint64Array.of(2n ** 63n), 'float64', [2 ** 63]],
    ['I64', new BigInt64Array(0), 'int64', []],
  ];
  test.each(cases)('%s of %o become %s', async (dtype, elements, becomes, values) => {
    const x = await read(oneTensor(dtype, elements));
    expect(x.dtype).toBe(becomes);
    expect(Array.from(x.data)).toEqual(values);
  });

  test('that no dtype holds exactly are refused with tensor, place and value', async () => {
    const signed = oneTensor('I64', BigInt64Array.of(1n, -(2n ** 53n) - 1n));
    await expect(read(signed)).rejects.toThrow(
      "file: element 1 of tensor 'x' is -9007199254740993, which no dtype of ours holds exactly",
    );
    const unsigned = oneTensor('U64', BigUint64Array.of(2n ** 64n - 1n));
    await expect(read(unsigned)).rejects.toThrow(/is 18446744073709551615, which no dtype/);
  });

  test('a bool must be 0 or 1', async () => {
    expect((await read(oneTensor('BOOL', Uint8Array.of(0, 1)))).toArray()).toEqual([false, true]);
    await expect(read(oneTensor('BOOL', Uint8Array.of(1, 0, 7)))).rejects.toThrow(
      /element 2 of tensor 'x' is 7, which is neither 0 nor 1/,
    );
  });
});

describe('a tensor that nobody asks for', () => {
  const header = {
    weight: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    scale: { dtype: 'F8_E4M3', shape: [2], data_offsets: [4, 6] },
    packed: { dtype: 'F4', shape: [4], data_offsets: [6, 8] },
  };

  test('may be of any dtype; asked for, it is refused by name', async () => {
    const { tensors } = await decodeCheckpoint(safetensorsBytes(header, 8), 'file');
    expect(Object.keys(tensors)).toEqual(['weight', 'scale', 'packed']);
    expect(tensors.weight.toArray()).toEqual([0]);
    expect(() => tensors.scale).toThrow(CheckpointError);
    expect(() => tensors.scale).toThrow(
      /file: tensor 'scale' has dtype 'F8_E4M3'; supported are F64, F32, F16/,
    );
    expect(() => Object.entries(tensors)).toThrow(/'F8_E4M3'|'F4'/);
  });

  test('is not decoded, and one that is asked for twice only once', async () => {
    const { tensors } = await decodeCheckpoint(safetensorsBytes(header, 8), 'file');
    expect(tensors.weight).toBe(tensors.weight);
    const released = tidy(() => tensors.weight.size);
    expect([released, tensors.weight.toArray()]).toEqual([1, [0]]);
    const { tensors: other } = await decodeCheckpoint(safetensorsBytes(header, 8), 'file');
    tidy(() => other.weight.size);
    expect(other.weight.toArray()).toEqual([0]);
  });

  test('takes no memory of its own, however many there are', async () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => {
      return [`layers.${i}.weight`, { dtype: 'F32', shape: [1], data_offsets: [4 * i, 4 * i + 4] }];
    });
    const bytes = safetensorsBytes(Object.fromEntries(entries), 4 * entries.length);
    const before = memory().tensors;
    const { tensors } = await decodeCheckpoint(bytes, 'file');
    expect(Object.keys(tensors)).toHaveLength(20_000);
    expect(tensors['layers.19999.weight'].toArray()).toEqual([0]);
    expect(memory().tensors - before).toBeLessThanOrEqual(1);
  });

  test('cannot be put in or taken out', async () => {
    const { tensors } = await decodeCheckpoint(safetensorsBytes(header, 8), 'file');
    const writable = tensors as Record<string, Tensor>;
    expect(Reflect.set(writable, 'other', ones([1]))).toBe(false);
    expect(Reflect.deleteProperty(writable, 'weight')).toBe(false);
    expect(Object.keys({ ...header })).toEqual(Object.keys(tensors));
  });
});

test('names that objects have by themselves are names like others', async () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '', '0', 'a'];
  const tensors = Object.fromEntries(names.map((name, i) => [name, tensor([i])]));
  const metadata = Object.fromEntries(names.map((name) => [name, `<${name}>`]));
  const back = await decodeCheckpoint(await encodeCheckpoint({ tensors, metadata }), 'file');
  expect(Object.keys(back.tensors).sort()).toEqual([...names].sort());
  for (const [i, name] of names.entries()) {
    expect(back.tensors[name].toArray()).toEqual([i]);
    expect(Object.getOwnPropertyDescriptor(back.metadata, name)?.value).toBe(`<${name}>`);
  }
  const none = await decodeCheckpoint(safetensorsBytes({}), 'file');
  for (const name of names) expect([name, name in none.tensors]).toEqual([name, false]);
  expect(none.tensors.constructor).toBeUndefined();
});

test('a name or string that no file can hold is refused', async () => {
  const reserved = { tensors: { __metadata__: ones([1]) }, metadata: {} };
  await expect(encodeCheckpoint(reserved)).rejects.toThrow(/no tensor can be called __metadata__/);
  const number = { tensors: {}, metadata: { a: 1 } } as unknown as Snapshot;
  await expect(encodeCheckpoint(number)).rejects.toThrow(/metadata 'a' must be a string/);
});

test("PyTorch's batch norm loads with what it counts", async () => {
  const state = {
    weight: tensor([2, 3]),
    bias: tensor([4, 5]),
    running_mean: tensor([6, 7]),
    running_var: tensor([8, 9]),
    num_batches_tracked: tensor([1000], { dtype: 'int32', shape: [] }),
  };
  const network = new BatchNorm2d({ numFeatures: 2 });
  expect(network.loadStateDict(state)).toEqual({ missing: [], unexpected: [] });
  expect(network.runningVariance.toArray()).toEqual([8, 9]);
  expect(() => network.loadStateDict({ ...state, num_batches: ones([1]) })).toThrow(
    /unexpected: 'num_batches'/,
  );
  const other = new BatchNorm2d({ numFeatures: 2 });
  expect(loadParamIntoNet(other, state)).toEqual([]);
  expect(Object.keys(other.stateDict())).not.toContain('num_batches_tracked');
});

const folder = sharedPath('interop');

describe.skipIf(folder === null)('real files (skipped without ../shared/interop)', () => {
  type Expected = Record<string, [dtype: string, shape: number[], sha256: string]>;
  const fileOf = (name: string): Uint8Array => readFileSync(`${folder}/${name}`);

  /** The elements as the file holds them, so that the digest of its bytes can be compared. */
  const BACK: Record<string, (data: TypedArray) => ArrayBufferView> = {
    I16: (data) => Int16Array.from(data),
    I64: (data) => BigInt64Array.from(Array.from(data, BigInt)),
  };

  const DTYPE_OF: Record<string, DType> = {
    ...{ F64: 'float64', F32: 'float32', F16: 'float16', I64: 'int64', I32: 'int32' },
    ...{ I16: 'int32', I8: 'int8', U32: 'uint32', U16: 'uint16', U8: 'uint8' },
  };

  test('hold what expected.json says', async () => {
    const expected = JSON.parse(
      String(fileOf('expected.json')).replace(/\bNaN\b/g, 'null'), // As Python writes it.
    ) as Record<string, { safetensors: Expected & { __metadata__?: Record<string, string> } }>;
    const names = Object.keys(expected).filter((name) => name.endsWith('.safetensors'));
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const { __metadata__: metadata = {}, ...entries } = expected[name].safetensors;
      const found = await decodeCheckpoint(fileOf(name), name);
      expect([found.metadata, found.isForeign]).toEqual([metadata, true]);
      expect(Object.keys(found.tensors).sort()).toEqual(Object.keys(entries).sort());
      for (const [key, [dtype, shape, digest]] of Object.entries(entries)) {
        const { array, dtype: ours, shape: own } = found.tensors[key];
        expect([key, ours]).toEqual([key, DTYPE_OF[dtype]]);
        const bytes = (BACK[dtype]?.(array.data) ?? array.data) as NodeJS.ArrayBufferView;
        expect([key, own, sha256(bytes).slice(0, 16)]).toEqual([key, shape, digest]);
      }
    }
  });

  test('of other kinds are named, with what to do', async () => {
    const others = readdirSync(folder as string).filter((name) =>
      /\.(pt|pth|ckpt|npz|npy|onnx|json)$/.test(name),
    );
    expect(others.length).toBeGreaterThan(15);
    const kinds: Record<string, RegExp> = {
      pt: /is of PyTorch.*; openCheckpoint of @firelight\/nn\/formats reads it|is TorchScript.*; load it in/,
      pth: /is of PyTorch/,
      ckpt: /is of MindSpore \(\.ckpt\), .*; openCheckpoint of @firelight\/nn\/formats reads it/,
      npz: /is of NumPy \(\.npz\), .*; openCheckpoint of/,
      npy: /is of NumPy \(\.npy\)/,
      onnx: /is ONNX, no safetensors file; openCheckpoint of .* reads it, and importOnnx/,
      json: /is JSON text, .*; pass the file with the weights|of TensorFlow\.js.*; openLayersModel of/,
    };
    for (const name of others) {
      const error: Error = await decodeCheckpoint(fileOf(name), name).then(
        () => new Error('it was read'),
        (caught) => caught,
      );
      expect(error).toBeInstanceOf(FirelightError);
      expect(error.message).toMatch(kinds[name.split('.').at(-1) as string]);
    }
  });
});
