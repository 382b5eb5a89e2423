import {
  arange,
  cast,
  DTypeError,
  type InterpolateOptions,
  interpolate,
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
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtime } from '../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { seeds } from '../../helpers/arbitraries.ts';
import { evaluate, random } from '../../helpers/evaluate.ts';
import { relativeError } from '../../helpers/relative-error.ts';
import { expectSameBits } from '../../helpers/same-bits.ts';
import { resizings } from './op-cases/resizing.ts';

// `torch-calls.test.ts` and ONNX's node tests compare with others; here is what they leave out.

const line = (values: readonly number[]): Tensor =>
  tensor(values, { shape: [1, 1, values.length] });
const valuesOf = ({ data }: Tensor): number[] => Array.from(data);

afterAll(() => setBackend('wasm'));

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  beforeAll(() => setBackend(backend));

  test.each<[name: string, options: InterpolateOptions, expected: number[][]]>([
    [
      'nearest',
      { scale: 2 },
      [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [3, 3, 4, 4],
        [3, 3, 4, 4],
      ],
    ],
    [
      'linear',
      { scale: 2, mode: 'linear' },
      [
        [1, 1.25, 1.75, 2],
        [1.5, 1.75, 2.25, 2.5],
        [2.5, 2.75, 3.25, 3.5],
        [3, 3.25, 3.75, 4],
      ],
    ],
    [
      'linear with aligned corners',
      { size: [2, 4], mode: 'linear', coordinates: 'align-corners' },
      [
        [1, 4 / 3, 5 / 3, 2],
        [3, 10 / 3, 11 / 3, 4],
      ],
    ],
    [
      'cubic',
      { scale: 2, mode: 'cubic' },
      [
        [0.68359375, 1.015625, 1.5625, 1.89453125],
        [1.34765625, 1.6796875, 2.2265625, 2.55859375],
        [2.44140625, 2.7734375, 3.3203125, 3.65234375],
        [3.10546875, 3.4375, 3.984375, 4.31640625],
      ],
    ],
  ])('%s of PyTorch’s example', (_, options, expected) => {
    const y = interpolate([[[[1, 2], [3, 4]]]], options); // biome-ignore format: an image
    expect(relativeError(y.data, expected.flat())).toBeLessThan(1e-6);
    expect(y.shape).toEqual([1, 1, expected.length, expected[0].length]);
  });

  test('an output of a smaller image weighs all that it covers with antialias', () => {
    const x = line([0, 1, 2, 3, 4, 5, 6, 7]);
    const linear = interpolate(x, { size: 3, mode: 'linear', antialias: true });
    expect(relativeError(linear.data, [1.1052632, 3.5, 5.8947368])).toBeLessThan(1e-6);
    const cubic = interpolate(x, { size: 3, mode: 'cubic', antialias: true });
    expect(relativeError(cubic.data, [0.8964844, 3.5, 6.1035156])).toBeLessThan(1e-4);
  });

  test('the nearest element is found in float32, as PyTorch finds it', () => {
    const y = interpolate(arange(14, undefined, undefined, { dtype: 'float32' }), {
      size: 46,
      axes: [0],
    });
    expect(y.data[23]).toBe(6); // ⌊23 · 14 / 46⌋ is 7.
    expect(y.data[24]).toBe(7);
  });

  test('the nearest of any dtype keep it', () => {
    for (const dtype of ['bool', 'uint8', 'int32', 'float64'] as const) {
      const y = interpolate(cast([[[1, 0, 1]]], dtype), { size: 2 });
      expect(y.dtype).toBe(dtype);
      expect(valuesOf(y)).toEqual([1, 0]);
    }
    const large = interpolate(tensor([2 ** 31 - 1, -(2 ** 31)], { dtype: 'int32' }), {
      scale: 2,
      axes: [-1],
    });
    expect(valuesOf(large)).toEqual([2147483647, 2147483647, -2147483648, -2147483648]);
    expect(Object.is(interpolate(line([-0]), { scale: 3 }).data[2], -0)).toBe(true);
  });

  test('elements without weight do not count, even infinite ones', () => {
    const x = line([1, Infinity, Number.NaN, 4]).detach();
    const options = { mode: 'linear', size: 7, coordinates: 'align-corners' } as const;
    const y = valuesOf(interpolate(x, options));
    expect([y[0], y[2], y[6]]).toEqual([1, Infinity, 4]);
    const tall = valuesOf(interpolate(reshape(x, [1, 1, 4, 1]), { ...options, size: [7, 1] }));
    expect(tall).toEqual(y);
    // In rows of other lengths, and where many are added.
    expect(valuesOf(interpolate(x, { mode: 'cubic', size: 4 }))).toEqual(valuesOf(x));
    const leaf = tensor([[[0, 0, 0]]], { requiresGrad: true });
    const wide = interpolate(leaf, { ...options, size: 101 });
    wide.backward(line(Array.from({ length: 101 }, (_, i) => (i > 51 ? Infinity : 1))));
    expect(leaf.grad?.data[0]).toBeCloseTo(25.5, 5);
    expect(valuesOf(leaf.grad as Tensor).slice(1)).toEqual([Infinity, Infinity]);
  });

  test('scale beside size says how far positions lie apart', () => {
    const x = line([0, 1, 2, 3]);
    const half = { mode: 'linear', coordinates: 'asymmetric', scale: 2 } as const;
    expect(valuesOf(interpolate(x, { ...half, size: 3 }))).toEqual([0, 0.5, 1]);
    expect(valuesOf(interpolate(x, { ...half, size: 9 })).slice(6)).toEqual([3, 3, 3]);
    const stays = { mode: 'linear', coordinates: 'asymmetric', scale: 1.2 } as const;
    expect(valuesOf(interpolate(x, stays))).toEqual([0, 1, 2, 3]);
    expect(interpolate(x, { ...stays, size: 4 }).data[3]).toBeCloseTo(2.5, 5);
  });

  test('a region reads outside of the image what extrapolationValue says, without gradient', () => {
    const x = tensor([[[1, 2, 3]]], { requiresGrad: true });
    const crop = { mode: 'linear', coordinates: 'crop-and-resize', size: 4 } as const;
    const y = interpolate(x, { ...crop, region: [[0.5, 2]], extrapolationValue: 9 });
    expect(valuesOf(y)).toEqual([2, 3, 9, 9]);
    sum(y).backward();
    expect(valuesOf(x.grad as Tensor)).toEqual([0, 1, 1]);
    expect(valuesOf(interpolate(x, { ...crop, region: [[1, 0]] }))[3]).toBe(1);
    const gone = interpolate(ones([1, 1, 2, 2]), {
      ...crop,
      region: [[2, 3], [0, 1]], // biome-ignore format: two pairs
      extrapolationValue: -1,
    });
    expect(valuesOf(gone)).toEqual(new Array(16).fill(-1));
  });

  test('gradients of many outputs lose no digits', () => {
    for (const shape of [[1], [1, 3], [2, 5]]) {
      const x = ones(shape, { requiresGrad: true });
      const size = 2 ** 16 + 3;
      sum(interpolate(x, { mode: 'linear', axes: [0], size })).backward();
      const share = size / shape[0];
      const grad = valuesOf(x.grad as Tensor);
      expect(Math.max(...grad.map((value) => Math.abs(value / share - 1)))).toBeLessThan(1e-6);
    }
  });

  test('the weights of an output add up to 1', () => {
    fc.assert(
      fc.property(resizings, ({ shape, options }) => {
        const y = interpolate(ones(shape), { ...options, extrapolationValue: 1 });
        const errors = valuesOf(y).map((value) => Math.abs(value - 1));
        expect(Math.max(...errors)).toBeLessThan(1e-5);
      }),
    );
  });

  test('the old size changes nothing', () => {
    fc.assert(
      fc.property(resizings, seeds, ({ shape, options }, seed) => {
        const { scale: _, region, axes = [], ...rest } = options;
        const x = random(shape, seed);
        const y = interpolate(x, {
          ...rest,
          axes,
          size: axes.map((axis) => shape.at(axis) as number),
          ...(region === undefined ? {} : { region: region.map(() => [0, 1] as const) }),
        });
        expect(y.shape).toEqual(shape);
        expect(relativeError(y.data, x.data)).toBeLessThan(1e-6);
      }),
    );
  });

  test('several axes are resized as one after the other', () => {
    fc.assert(
      fc.property(resizings, seeds, ({ shape, options }, seed) => {
        const { size, scale, region, axes = [], ...rest } = options;
        const x = random(shape, seed);
        const oneByOne = axes.reduce(
          (image, axis, i) =>
            interpolate(image, {
              ...rest,
              axes: [axis],
              ...(Array.isArray(size) && { size: size[i] }),
              ...(Array.isArray(scale) && { scale: scale[i] }),
              ...(region && { region: [region[i]] }),
            }),
          x,
        );
        const together = interpolate(x, options);
        // Where few pixels nearly cancel, their errors stay as large as they are: they count as well.
        const error = relativeError([...together.data, ...x.data], [...oneByOne.data, ...x.data]);
        expect(error).toBeLessThan(1e-5);
      }),
    );
  });
});

/** Images of several parts, whose sums have few terms and many. */
const LARGE: readonly (readonly [shape: readonly number[], options: InterpolateOptions])[] = [
  [[2, 3, 60, 67], { scale: 2, mode: 'linear' }],
  [[2, 3, 60, 67], { scale: 1.7, mode: 'cubic' }],
  [[2, 3, 60, 67], { size: [7, 3], mode: 'cubic', antialias: true }],
  [[3, 3, 120, 131], { size: [200, 5] }],
  [[2, 2, 3, 5], { size: [200, 151], mode: 'linear' }],
  [[4, 4099], { size: 5001, mode: 'linear', axes: [1] }],
  [[20, 2001], { size: 90, mode: 'cubic', axes: [0] }],
];

describe('large images', () => {
  test.each(LARGE)('%j %j: wasm as reference', async (shape, options) => {
    const run = (x: Tensor): Tensor => interpolate(x, options);
    await setBackend('reference');
    const exact = evaluate(run, [random(shape, 7, true)]);
    await setBackend('wasm');
    evaluate(run, [random(shape, 7, true)]).forEach(({ data }, i) => {
      expect(relativeError(data, exact[i].data)).toBeLessThan(1e-5);
    });
  });

  test('any number of threads and lanes gives the same bits', async () => {
    await expectSameBits(() =>
      LARGE.flatMap(([shape, options]) => {
        const x = random(shape, 5, true);
        return evaluate((y) => interpolate(y, options), [x]).map(({ data }) => data);
      }),
    );
  });

  test('many calls take no more memory than a few', async () => {
    await setBackend('wasm');
    const run = (): void =>
      tidy(() => void interpolate(ones([2, 3, 20, 20]), { scale: 2, mode: 'cubic' }));
    for (let i = 0; i < 3; i++) run();
    const before = runtime().arena.usedBytes;
    for (let i = 0; i < 50; i++) run();
    expect(runtime().arena.usedBytes).toBe(before);
  });
});

const image = zeros([1, 2, 4, 6]);

test.each<[message: string, type: new (message: string) => Error, options: object, x?: Tensor]>([
  ['interpolate: size or scale must be given, got undefined', ValueError, {}],
  [
    "interpolate: there is no option 'sizes' (did you mean 'size'?); there is size, scale,",
    ValueError,
    { sizes: 2 },
  ],
  [
    'interpolate: size must be a number, or a list of 2, one for each axis, got [1]',
    ValueError,
    { size: [1] },
  ],
  ['interpolate: size must be integers ≥ 1, got 0', ValueError, { size: 0 }],
  ['interpolate: scale must be finite numbers > 0, got [1, -1]', ValueError, { scale: [1, -1] }],
  [
    'interpolate: axis 2 of length 4, scaled by 0.2, leaves nothing\n  x [1, 2, 4, 6]',
    ShapeError,
    { scale: 0.2 },
  ],
  [
    'interpolate: axis 2 of length 0 leaves nothing\n  x [1, 2, 0, 6]',
    ShapeError,
    { size: 3 },
    zeros([1, 2, 0, 6]),
  ],
  ['shape [1, 2, 1099511627776, 6] has more than 2147483647', ValueError, { size: [2 ** 40, 6] }],
  [
    "interpolate: mode must be one of 'nearest', 'linear', 'cubic', got 'bilinear'",
    ValueError,
    { size: 2, mode: 'bilinear' },
  ],
  ["coordinates must be one of 'half-pixel', ", ValueError, { size: 2, coordinates: 'half' }],
  ["nearestRounding must be one of 'floor', ", ValueError, { size: 2, nearestRounding: 'up' }],
  [
    'cubicCoefficient must be a finite number, got NaN',
    ValueError,
    { size: 2, cubicCoefficient: Number.NaN },
  ],
  ['antialias must be true or false, got 1', ValueError, { size: 2, antialias: 1 }],
  ['excludeOutside must be true or false, got 1', ValueError, { size: 2, excludeOutside: 1 }],
  [
    "interpolate: antialias must be false for mode 'nearest', got true",
    ValueError,
    { size: 2, antialias: true },
  ],
  [
    'interpolate: scale must be ≥ 1 / (2 · 4) with antialias, got 0.1',
    ValueError,
    { size: 2, scale: 0.1, antialias: true, mode: 'linear' },
  ],
  [
    "interpolate: region must be given for 'crop-and-resize' and nothing else, got undefined",
    ValueError,
    { size: 2, coordinates: 'crop-and-resize' },
  ],
  [
    'interpolate: region must be a list of 2 pairs [start, end], got [[…]]',
    ValueError,
    { size: 2, coordinates: 'crop-and-resize', region: [[0, 1]] },
  ],
  [
    "interpolate: extrapolationValue must be a number, got '0'",
    ValueError,
    { size: 2, extrapolationValue: '0' },
  ],
  ['interpolate: axes [1, -3] name an axis twice', ShapeError, { size: 2, axes: [1, -3] }],
  ['interpolate: axis must be an integer in [-4, 4)', ValueError, { size: 2, axes: [4] }],
  [
    'interpolate: x must have at least 3 axes [N, C, d…], or `axes` say which to resize\n  x [2, 3]',
    ShapeError,
    { size: 2 },
    zeros([2, 3]),
  ],
  [
    'interpolate: needs float32 or float64, the same for all; got x int32',
    DTypeError,
    { size: 2, mode: 'linear' },
    zeros([1, 1, 2], { dtype: 'int32' }),
  ],
])('%s', (message, type, options, x = image) => {
  const act = (): Tensor => interpolate(x, options as InterpolateOptions);
  expect(act).toThrow(message);
  expect(act).toThrow(type);
});
