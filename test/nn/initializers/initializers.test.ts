import { initializers } from '@firelight/nn';
import { conv2d, Generator, randn, type Tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { expectClose } from '../../helpers/close.ts';

const { initialize } = initializers;
type NamedInitializer = initializers.InitializerOption;

const draw = (option: NamedInitializer, shape: number[], seed = 0): Float32Array =>
  initialize(option, shape, new Generator(seed)).data as Float32Array;

const spread = (values: Float32Array): { mean: number; std: number; bound: number } => {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return { mean, std, bound: Math.max(...values.map(Math.abs)) };
};

describe('distributions', () => {
  const shape = [100, 20, 3, 3]; // fanIn 180, fanOut 900
  test.each<[NamedInitializer, { std: number; bound: number }]>([
    ['normal', { std: 0.01, bound: 0.05 }],
    ['TruncatedNormal', { std: 0.01 * 0.8796, bound: 0.02 }],
    ['uniform', { std: 0.07 / Math.sqrt(3), bound: 0.07 }],
    ['he_uniform', { std: Math.sqrt(2 / 180), bound: Math.sqrt(6 / 180) }],
    ['HeUniform', { std: Math.sqrt(2 / 180), bound: Math.sqrt(6 / 180) }],
    ['he_normal', { std: Math.sqrt(2 / 180), bound: 6 * Math.sqrt(2 / 180) }],
    ['XAVIER_UNIFORM', { std: Math.sqrt(2 / 1080), bound: Math.sqrt(6 / 1080) }],
    ['xavier_normal', { std: Math.sqrt(2 / 1080), bound: 6 * Math.sqrt(2 / 1080) }],
    ['VarianceScaling', { std: Math.sqrt(1 / 180), bound: 2.2736 * Math.sqrt(1 / 180) }],
    [
      initializers.varianceScaling({ distribution: 'uniform', mode: 'fan_out', scale: 2 }),
      { std: Math.sqrt(2 / 900), bound: Math.sqrt(6 / 900) },
    ],
    [
      initializers.varianceScaling({ distribution: 'untruncated_normal', mode: 'fan_avg' }),
      { std: Math.sqrt(1 / 540), bound: 6 * Math.sqrt(1 / 540) },
    ],
    [
      initializers.heNormal({ mode: 'fan_out', nonlinearity: 'tanh' }),
      { std: 5 / 3 / 30, bound: 1 },
    ],
    [
      initializers.heUniform({ negativeSlope: 1, nonlinearity: 'leaky_relu' }),
      { std: Math.sqrt(1 / 180), bound: Math.sqrt(3 / 180) },
    ],
  ])('%s has the documented spread', (option, expected) => {
    const { mean, std, bound } = spread(draw(option, shape));
    expect(Math.abs(mean)).toBeLessThan(0.03 * expected.std);
    expect(std / expected.std).toBeCloseTo(1, 1);
    expect(bound).toBeLessThanOrEqual(expected.bound * 1.000001);
  });

  // semantics of the tutorial's network: fan 147, 96, 144 and 512.
  test.each([
    [[96, 3, 7, 7], 0.20203],
    [[16, 96, 1, 1], 0.25],
    [[64, 16, 3, 3], 0.20412],
    [[64, 512, 1, 1], 0.10825],
  ])('he_uniform of %j reaches up to %d', (shape, bound) => {
    const largest = spread(draw('he_uniform', shape)).bound;
    expect(largest).toBeLessThanOrEqual(bound + 5e-6);
    expect(largest).toBeGreaterThan(bound * 0.98);
  });

  test('repeat for the same seed only', () => {
    expect(draw('normal', [50], 1)).toEqual(draw('normal', [50], 1));
    expect(draw('normal', [50], 1)).not.toEqual(draw('normal', [50], 2));
  });
});

describe('constants and structures', () => {
  test('zeros, ones and numbers', () => {
    expect([...draw('zero', [2])]).toEqual([0, 0]);
    expect([...draw('Zeros', [2])]).toEqual([0, 0]);
    expect([...draw('one', [2])]).toEqual([1, 1]);
    expect([...draw('ones', [2])]).toEqual([1, 1]);
    expect([...draw(0.5, [2])]).toEqual([0.5, 0.5]);
  });

  test('identity has ones on the diagonal', () => {
    expect([...draw('identity', [2, 3])]).toEqual([1, 0, 0, 0, 1, 0]);
  });

  test('a dirac convolution copies its input', () => {
    const x = randn([2, 4, 5, 5], { generator: new Generator(0) });
    const copy = conv2d(x, initialize('dirac', [4, 4, 3, 3]), null, { padding: 1 });
    expectClose(copy, x, 0);
    const grouped = initialize(initializers.dirac({ groups: 2 }), [4, 2, 3, 3]);
    expectClose(conv2d(x, grouped, null, { padding: 1, groups: 2 }), x, 0);
  });

  test.each([[[3, 8]], [[8, 3]], [[4, 2, 3, 3]], [[3, 150_528]]])(
    'orthogonal %j has orthonormal rows or columns',
    (shape) => {
      const matrix: Tensor = initialize('orthogonal', shape, new Generator(3));
      const [rows, columns] = [shape[0], matrix.size / shape[0]];
      const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
      const at = (vector: number, k: number): number =>
        matrix.data[rows <= columns ? vector * columns + k : k * columns + vector];
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) {
          let dot = 0;
          for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k);
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 5);
        }
      }
    },
  );

  test('sparse sets the same share of each column to zero', () => {
    const matrix = draw(initializers.sparse({ sparsity: 0.25 }), [10, 4]);
    for (let column = 0; column < 4; column++) {
      const zeros = Array.from({ length: 10 }, (_, row) => matrix[row * 4 + column]).filter(
        (value) => value === 0,
      );
      expect(zeros).toHaveLength(3);
    }
  });
});

test.each<[what: string, act: () => unknown, message: RegExp]>([
  ['an unknown name', () => initialize('he', [2, 2]), /there is no 'he'; choose one of normal, /],
  ['fans of a vector', () => initialize('he_normal', [3]), /two axes \[out, in, ...\], got \[3\]/],
  ['identity of a vector', () => initialize('identity', [3]), /needs 2 axes, got shape \[3\]/],
  ['dirac of a matrix', () => initialize('dirac', [3, 3]), /needs 3 or 4 or 5 axes/],
  [
    'dirac of odd groups',
    () => initialize(initializers.dirac({ groups: 2 }), [3, 3, 1]),
    /divides/,
  ],
  [
    'sparsity 2',
    () => initialize(initializers.sparse({ sparsity: 2 }), [2, 2]),
    /in \[0, 1\], got 2/,
  ],
])('%s is refused', (_, act, message) => {
  expect(act).toThrow(message);
});
