import {
  add,
  assign,
  batchNorm2d,
  checkpointed,
  dropout,
  Generator,
  gradients,
  matmul,
  memory,
  mul,
  noGrad,
  ones,
  randn,
  relu,
  sum,
  type Tensor,
  tanh,
  tensor,
  tidy,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

function layers(weight: Tensor): (x: Tensor) => Tensor {
  return (x) => tanh(matmul(relu(matmul(tanh(matmul(x, weight)), weight)), weight));
}

describe('checkpointed', () => {
  test('gives the same output and gradients, bit by bit', () => {
    const [x, weight] = [0, 1].map((seed) =>
      randn([6, 6], { generator: new Generator(seed), requiresGrad: true }),
    );
    const run = (f: (x: Tensor) => Tensor) => {
      const y = f(mul(x, 2));
      sum(mul(y, y)).backward();
      const results = [y, x.grad, weight.grad].map((tensor) => [...(tensor?.data ?? [])]);
      x.grad = null;
      weight.grad = null;
      return results;
    };
    expect(run(checkpointed(layers(weight)))).toEqual(run(layers(weight)));
  });

  test('keeps nothing but its inputs and its output', () => {
    const weight = randn([32, 32], { requiresGrad: true });
    const kept = (f: (x: Tensor) => Tensor): number =>
      tidy(() => {
        const before = memory().bytes;
        const y = f(randn([32, 32], { requiresGrad: true }));
        return y.requiresGrad ? memory().bytes - before : 0;
      });
    const array = 32 * 32 * 4;
    expect(kept(checkpointed(layers(weight)))).toBe(2 * array);
    expect(kept(layers(weight))).toBeGreaterThanOrEqual(6 * array);
  });

  test('draws the same numbers again, and leaves generators as they were', () => {
    const generator = new Generator(7);
    const x = ones([100], { requiresGrad: true });
    const y = checkpointed((input: Tensor) => dropout(input, { generator }))(x);
    const further = generator.words(4);
    sum(y).backward();
    expect([...(x.grad?.data ?? [])]).toEqual([...y.data]); // Both are the mask, scaled.
    const fresh = new Generator(7);
    dropout(ones([100]), { generator: fresh });
    expect(fresh.words(4)).toEqual(further);
    expect(generator.state()).toEqual(fresh.state());
  });

  test('counts a batch once in running statistics', () => {
    const statistics = () => ({ runningMean: zeros([2]), runningVariance: ones([2]) });
    const [once, twice] = [statistics(), statistics()];
    const x = randn([3, 2, 4, 4], { requiresGrad: true });
    const norm = (options: ReturnType<typeof statistics>) => (input: Tensor) =>
      batchNorm2d(input, ones([2]), zeros([2]), options);
    sum(norm(once)(x)).backward();
    sum(checkpointed(norm(twice))(x)).backward();
    expect(twice.runningMean.data).toEqual(once.runningMean.data);
    expect(twice.runningVariance.data).toEqual(once.runningVariance.data);
  });

  test('passes gradients to results from outside that it uses', () => {
    const weight = tensor([2, 3], { requiresGrad: true });
    const outside = mul(weight, weight);
    const y = checkpointed((x: Tensor) => mul(x, outside))(tensor([1, 1], { requiresGrad: true }));
    sum(add(y, outside)).backward();
    expect(weight.grad?.toArray()).toEqual([8, 12]);
  });

  test('works for inputs without a gradient, of which parameters have one', () => {
    const weight = tensor([2, 3], { requiresGrad: true });
    sum(checkpointed((x: Tensor) => mul(x, weight))(tensor([5, 7]))).backward();
    expect(weight.grad?.toArray()).toEqual([5, 7]);
  });

  test('nests', () => {
    const x = tensor([2], { requiresGrad: true });
    const square = checkpointed((y: Tensor) => mul(y, y));
    sum(checkpointed((y: Tensor) => square(square(y)))(x)).backward();
    expect(x.grad?.toArray()).toEqual([32]);
  });

  test('is the function itself where nothing is recorded', () => {
    const f = checkpointed((x: Tensor) => mul(x, x));
    expect(noGrad(() => f(tensor([3], { requiresGrad: true }))).requiresGrad).toBe(false);
    expect(f(tensor([3])).requiresGrad).toBe(false);
  });

  test('gives gradients() too, but no second derivative', () => {
    const x = tensor([3], { requiresGrad: true });
    const f = checkpointed((y: Tensor) => mul(y, y));
    expect(gradients(sum(f(x)), [x])[0].toArray()).toEqual([6]);
    const y = sum(f(x));
    expect(() => gradients(y, [x], { createGraph: true })).toThrow(
      /cannot be differentiated again/,
    );
  });

  test('says what is wrong', () => {
    const weight = tensor([2], { requiresGrad: true });
    const y = sum(checkpointed((x: Tensor) => mul(x, weight))(tensor([1])));
    assign(weight, [3]);
    expect(() => y.backward()).toThrow(/backward of checkpointed: .* was changed in place/);
    let factor = 1;
    const moody = checkpointed((x: Tensor) => (factor++ === 1 ? mul(x, x) : tensor([1])));
    const z = moody(tensor([1], { requiresGrad: true }));
    expect(() => sum(z).backward()).toThrow(/second call .* something else/);
    expect(() => checkpointed((() => 3) as never)()).toThrow(/must give a tensor, got 3/);
  });
});
