import {
  checkpointed,
  dropout,
  Generator,
  gradCheck,
  mul,
  randn,
  scaledDotProductAttention,
  setBackend,
  softmax,
  sum,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Attention of `query` whose values are rows of the identity, so that the result is its weights. */
const weightsOf = (query: Tensor, key: Tensor, options: object): Tensor => {
  const S = key.shape[key.rank - 2];
  const rows = Float32Array.from({ length: S * S }, (_, i) => (i % (S + 1) === 0 ? 1 : 0));
  return scaledDotProductAttention(query, key, tensor(rows, { shape: [S, S] }), options);
};

const made = (shape: readonly number[], seed: number, requiresGrad = false): Tensor =>
  randn(shape, { generator: new Generator(seed), requiresGrad });

describe.each(['reference', 'wasm'])('dropout of attention on %s', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('wasm'));

  test('drops weights of the softmax, and scales the others up', () => {
    const [query, key] = [made([2, 3, 5, 4], 1), made([2, 3, 7, 4], 2)];
    const generator = () => new Generator(11);
    const weights = weightsOf(query, key, {});
    const dropped = weightsOf(query, key, { dropout: 0.25, generator: generator() });
    expect(dropped.data).toEqual(dropout(weights, { p: 0.25, generator: generator() }).data);
    expect(dropped.data.filter((weight) => weight === 0).length).toBeGreaterThan(20);
  });

  test('keeps the mean', () => {
    const weights = weightsOf(zeros([400, 4]), zeros([10, 4]), {
      dropout: 0.5,
      generator: new Generator(3),
    });
    expect(Math.abs(sum(weights).item() / 400 - 1)).toBeLessThan(0.05);
  });

  test('leaves out what the mask does, and lengths of 0', () => {
    const options = { dropout: 0.5, isCausal: true, generator: new Generator(5) };
    const weights = weightsOf(made([6, 4], 1), made([6, 4], 2), options);
    weights.data.forEach((weight, i) => {
      if (i % 6 > Math.floor(i / 6)) expect(weight).toBe(0);
      expect(weight).toBeGreaterThanOrEqual(0);
    });
    const of = (L: number, S: number): Tensor =>
      scaledDotProductAttention(zeros([L, 4]), zeros([S, 4]), zeros([S, 2]), { dropout: 0.5 });
    expect(of(0, 3).shape).toEqual([0, 2]);
    expect(of(3, 0).data).toEqual(new Float32Array(6));
  });

  test('draws nothing where nothing is dropped', () => {
    const generator = new Generator(5);
    const before = generator.state();
    weightsOf(made([3, 4], 1), made([3, 4], 2), { dropout: 0, generator });
    expect(generator.state()).toEqual(before);
  });

  test('has the gradient of what was not dropped', () => {
    const inputs = [1, 2, 3].map((seed) =>
      tensor(new Generator(seed).normal(12), { shape: [4, 3], dtype: 'float64' }),
    );
    const run = (...[query, key, value]: Tensor[]): Tensor => {
      const generator = new Generator(9);
      return scaledDotProductAttention(query, key, value, { dropout: 0.4, generator });
    };
    expect(gradCheck(run, inputs)).toBeLessThan(1e-6);
  });

  test('drops the same when it is computed again', () => {
    const run = (wrap: typeof checkpointed): number[] => {
      const generator = new Generator(13);
      const inputs = [1, 2, 3].map((seed) => made([2, 4, 3], seed, true));
      const attend = wrap((query: Tensor, key: Tensor, value: Tensor) =>
        scaledDotProductAttention(query, key, value, { dropout: 0.4, generator }),
      );
      const y = attend(inputs[0], inputs[1], inputs[2]);
      sum(mul(y, softmax(made([2, 4, 3], 4)))).backward();
      return [...y.data, ...inputs.flatMap(({ grad }) => [...(grad?.data ?? [])])];
    };
    const kept = run((f) => f);
    expect(kept).toHaveLength(4 * 24);
    expect(run(checkpointed)).toEqual(kept);
  });
});

test.each<[object, RegExp]>([
  [{ dropout: 1 }, /scaledDotProductAttention: dropout must be in \[0, 1\), got 1$/],
  [{ dropout: -0.1 }, /scaledDotProductAttention: dropout must be in \[0, 1\), got -0.1$/],
  [{ dropout: '0' }, /scaledDotProductAttention: dropout must be in \[0, 1\), got '0'$/],
  [{ dropoutP: 0.1 }, /scaledDotProductAttention: there is no option 'dropoutP'/],
  [{ generator: 3 }, /scaledDotProductAttention: generator must be a Generator, got 3$/],
])('%j is refused', (options, message) => {
  const act = () => weightsOf(zeros([2, 2]), zeros([2, 2]), options);
  expect(act).toThrow(ValueError);
  expect(act).toThrow(message);
});
