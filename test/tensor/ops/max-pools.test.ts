import {
  AutogradError,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  assign,
  avgPool1d,
  avgPool2d,
  cast,
  DTypeError,
  Generator,
  globalAvgPool1d,
  globalMaxPool1d,
  globalMaxPool2d,
  maxPool1d,
  maxPool2d,
  maxPool2dWithIndices,
  maxUnpool2d,
  mul,
  ones,
  reshape,
  ShapeError,
  setBackend,
  sum,
  type Tensor,
  tensor,
  tidy,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { elementCount } from '@firelight/tensor/extend';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normal } from '../../helpers/arbitraries.ts';
import { poolingsWith } from '../../helpers/windows.ts';

const nothing = Number.NaN;
const plane = (...rows: number[][]): Tensor =>
  tensor([[rows]], { dtype: 'float32', requiresGrad: true });
const places = (...rows: number[][]): Tensor => tensor([[rows]], { dtype: 'int32' });

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('wasm'));

  test('indices are those of the first largest, or of the last NaN, not counting padding', () => {
    const x = plane([1, 5, 5, 2], [5, 0, 0, 2], [nothing, 3, -1, -1], [9, nothing, -1, -1]);
    const { values, indices } = maxPool2dWithIndices(x, { kernelSize: 2 });
    expect(Array.from(values.data)).toEqual([5, 5, nothing, -1]);
    expect([indices.dtype, ...indices.data]).toEqual(['int32', 1, 2, 13, 10]);
    const padded = maxPool2dWithIndices(plane([-3, -2]), { kernelSize: 2, padding: 1 });
    expect(Array.from(padded.indices.data)).toEqual([0, 1]);
  });

  test('values are those of maxPool2d, and lie at the indices', () => {
    fc.assert(
      fc.property(poolingsWith({ budget: 2000 }), ({ shape, seed, options }) => {
        const x = normal(shape, seed);
        const { values, indices } = maxPool2dWithIndices(x, options);
        expect(values.data).toEqual(maxPool2d(x, options).data);
        const [perPlane, perInput] = [values, x].map(({ shape: [, , H, W] }) => H * W);
        const found = Array.from(
          indices.data,
          (index, i) => x.data[Math.floor(i / perPlane) * perInput + index],
        );
        expect(found).toEqual(Array.from(values.data));
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test('unpooling puts what a pooling gave back to its place', () => {
    const x = plane([1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]);
    const { values, indices } = maxPool2dWithIndices(x, { kernelSize: 2 });
    const y = maxUnpool2d(values, indices, { kernelSize: 2 });
    expect(y.toArray()).toEqual([
      [
        [
          [0, 0, 6, 0],
          [0, 5, 0, 0],
          [0, 0, 0, 0],
          [7, 0, 0, 8],
        ],
      ],
    ]);
    sum(mul(y, y)).backward();
    expect(x.grad?.toArray()).toEqual([
      [
        [
          [0, 0, 12, 0],
          [0, 10, 0, 0],
          [0, 0, 0, 0],
          [14, 0, 0, 16],
        ],
      ],
    ]);
    const wide = maxUnpool2d(ones([1, 1, 1, 2]), places([0, 4]), {
      kernelSize: 2,
      outputSize: [3, 5],
    });
    expect([wide.shape, wide.data.indexOf(1), wide.data.lastIndexOf(1)]).toEqual([
      [1, 1, 3, 5],
      0,
      4,
    ]);
  });

  test('of several for one place the last stays, and the others get no gradient', () => {
    const x = plane([nothing, 2, 3]);
    const y = maxUnpool2d(x, places([1, 1, 0]), { kernelSize: [1, 2], stride: 1 });
    expect(y.toArray()).toEqual([[[[3, 2, 0, 0]]]]);
    sum(mul(y, tensor([5, 7, 1, 1]))).backward();
    expect(x.grad?.toArray()).toEqual([[[[0, 7, 5]]]]);
  });

  test('indices outlive a tidy, and may not be changed before backward', () => {
    const x = plane([1, 4]);
    const kept = tidy(() => maxPool2dWithIndices(x, { kernelSize: [1, 2] }));
    expect(kept.indices.item()).toBe(1);
    assign(kept.indices, 0);
    expect(() => sum(kept.values).backward()).toThrow(AutogradError);
  });
});

test('large planes in several parts have the bits of the reference, doubles and all', async () => {
  const shape = [3, 5, 61, 47];
  const indices = tensor(
    Array.from(new Generator(3).uniform(elementCount(shape), { high: 122 * 94 }), Math.floor),
    { shape, dtype: 'int32' },
  );
  const results = [];
  for (const backend of ['reference', 'wasm']) {
    await setBackend(backend);
    const x = cast(normal(shape, 1), 'float32').detach();
    x.requiresGrad = true;
    const y = maxUnpool2d(x, indices, { kernelSize: 2 });
    y.backward(cast(normal(y.shape, 2), 'float32'));
    results.push([y.data, x.grad?.data]);
  }
  expect(results[1]).toEqual(results[0]);
});

describe.each(['reference', 'wasm'])('on %s, of whatever is no float', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('wasm'));

  test.each(['int32', 'uint8', 'bool'] as const)('%s gives its values as floats do', (dtype) => {
    fc.assert(
      fc.property(poolingsWith({ budget: 500 }), ({ shape, seed, options }) => {
        const least = dtype === 'int32' ? -40 : 0;
        const numbers = new Generator(seed).uniform(elementCount(shape), { low: least, high: 9 });
        const given = cast(tensor(Array.from(numbers, Math.floor), { shape }), dtype);
        const { values, indices } = maxPool2dWithIndices(given, options);
        const expected = maxPool2dWithIndices(cast(given, 'float64'), options);
        expect([values.dtype, values.requiresGrad]).toEqual([dtype, false]);
        expect(Array.from(values.data)).toEqual(Array.from(expected.values.data));
        expect(indices.data).toEqual(expected.indices.data);
        expect(maxPool2d(given, options).data).toEqual(values.data);
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test('all max-pools take them, and means do not', () => {
    const x = tensor([-5, -3, -9], { shape: [1, 1, 3], dtype: 'int32' });
    const image = reshape(x, [1, 1, 1, 3]);
    const padded = maxPool1d(x, { kernelSize: 2, stride: 1, padding: 1 });
    expect([padded.dtype, ...padded.data]).toEqual(['int32', -5, -3, -3, -9]);
    expect(Array.from(adaptiveMaxPool2d(image, [1, 2]).data)).toEqual([-3, -3]);
    expect(adaptiveMaxPool2d(image, 1).item()).toBe(-3);
    expect(globalMaxPool1d(x).item()).toBe(-3);
    expect(globalMaxPool2d(image).dtype).toBe('int32');
    for (const act of [
      () => avgPool1d(x, { kernelSize: 2 }),
      () => avgPool2d(image, { kernelSize: 1 }),
      () => adaptiveAvgPool2d(image, 1),
      () => globalAvgPool1d(x),
    ]) {
      expect(act).toThrow(/needs float32 or float64, the same for all; got input int32/);
    }
  });
});

test('bytes are indices too', () => {
  const indices = tensor(new Uint8Array([200]), { shape: [1, 1, 1, 1] });
  const y = maxUnpool2d(ones([1, 1, 1, 1]), indices, { kernelSize: 15 });
  expect(y.data.indexOf(1)).toBe(200);
});

describe('mistakes are told in a sentence', () => {
  const x = ones([1, 1, 2, 2]);
  const at = zeros([1, 1, 2, 2], { dtype: 'int32' });
  const options = { kernelSize: 2 };
  test.each<[act: () => unknown, type: new (...args: never[]) => Error, message: RegExp]>([
    [
      () => maxUnpool2d(x, places([0, 1]), options),
      ShapeError,
      /maxUnpool2d: input and indices must have one shape\n.* \[1, 1, 2, 2\].*\n.* \[1, 1, 1, 2\]/,
    ],
    [
      () => maxUnpool2d(x, places([0, 1], [2, 16]), options),
      ShapeError,
      /maxUnpool2d: index 16 is outside planes of 4 × 4/,
    ],
    [
      () => maxUnpool2d(x, places([0, 1], [2, -1]), options),
      ShapeError,
      /index -1 is outside planes of 4 × 4/,
    ],
    [
      () => maxUnpool2d(x, at, { kernelSize: 2, padding: 2 }),
      ShapeError,
      /maxUnpool2d: the output would have 0 × 0 pixels/,
    ],
    [
      () => maxUnpool2d(zeros([1, 1, 0, 2]), zeros([1, 1, 0, 2], { dtype: 'int32' }), options),
      ShapeError,
      /the output would have 0 × 4 pixels/,
    ],
    [() => maxUnpool2d(ones([2, 2]), at, options), ShapeError, /input must have 4 axes/],
    [() => maxUnpool2d(at, at, options), DTypeError, /maxUnpool2d: needs float32 or float64/],
    [() => maxUnpool2d(x, x, options), DTypeError, /indices must be integers, got float32/],
    [() => maxUnpool2d(x, at, { kernelSize: 0 }), ValueError, /kernelSize must be integers ≥ 1/],
    [
      () => maxUnpool2d(x, at, { kernelSize: 2, outputSize: [0, 2] }),
      ValueError,
      /outputSize must be integers ≥ 1, got \[0, 2\]/,
    ],
    [
      () => maxUnpool2d(x, at, { kernelSize: 2, dilation: 2 } as never),
      ValueError,
      /maxUnpool2d: there is no option 'dilation'/,
    ],
    [
      () => maxPool2dWithIndices(x, { kernelSize: 9 }),
      ShapeError,
      /maxPool2dWithIndices: a window of 9 × 9 does not fit/,
    ],
  ])('%s', (act, type, message) => {
    expect(act).toThrow(type);
    expect(act).toThrow(message);
  });
});
