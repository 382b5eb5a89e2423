import {
  AutogradError,
  add,
  DTypeError,
  grad,
  gradients,
  matmul,
  mean,
  mul,
  noGrad,
  ones,
  pow,
  randn,
  relu,
  reshape,
  ShapeError,
  sqrt,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  tidy,
  zeros,
} from '@firelight/tensor';
import { defineOp, NdArray } from '@firelight/tensor/extend';
import { describe, expect, test } from 'vitest';

const cube = (x: Tensor): Tensor => sum(mul(mul(x, x), x));

describe('grad', () => {
  test('is the derivative, of any order', () => {
    const x = tensor([2, -3]);
    expect(grad(cube)(x).toArray()).toEqual([12, 27]);
    const second = grad((y: Tensor) => sum(grad(cube)(y)));
    expect(second(x).toArray()).toEqual([12, -18]);
    const third = grad((y: Tensor) => sum(second(y)));
    expect(third(x).toArray()).toEqual([6, 6]);
    expect(grad((y: Tensor) => sum(third(y)))(x).toArray()).toEqual([0, 0]);
  });

  test('takes plain numbers and further arguments', () => {
    expect(grad((x: Tensor, factor: number) => mul(mul(x, x), factor))(3, 5).item()).toBe(30);
  });

  test('leaves grad of all tensors alone', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const weight = tensor([3, 4], { requiresGrad: true });
    grad((y: Tensor) => sum(mul(y, weight)))(x);
    expect([x.grad, weight.grad]).toEqual([null, null]);
  });

  test('gives a Hessian-vector product', () => {
    const A = tensor([
      [2, 1],
      [1, 3],
    ]);
    const f = (x: Tensor): Tensor => sum(mul(x, matmul(A, x)));
    const v = tensor([1, -1]);
    const product = grad((x: Tensor) => sum(mul(grad(f)(x), v)))(tensor([5, 7]));
    expect(product.toArray()).toEqual([2, -4]); // 2 A v
  });

  test('has a history where parameters need a gradient: a gradient penalty', () => {
    const weight = tensor([[1, 2]], { requiresGrad: true });
    const critic = (x: Tensor): Tensor => sum(matmul(weight, x));
    const slope = grad(critic)(tensor([[3], [4]]));
    const penalty = pow(sub(sqrt(sum(mul(slope, slope))), 1), 2);
    penalty.backward();
    // d/dw (‖w‖ − 1)² = 2 (‖w‖ − 1) w / ‖w‖
    const length = Math.sqrt(5);
    const expected = [1, 2].map((w) => (2 * (length - 1) * w) / length);
    const actual = weight.grad?.data ?? [];
    expected.forEach((value, i) => {
      expect(actual[i]).toBeCloseTo(value, 5);
    });
  });

  test('has none inside noGrad, nor where nothing else needs a gradient', () => {
    const weight = tensor(2, { requiresGrad: true });
    const f = (x: Tensor): Tensor => mul(weight, mul(x, x));
    expect(grad(f)(3).requiresGrad).toBe(true);
    expect(noGrad(() => grad(f)(3)).requiresGrad).toBe(false);
    expect(noGrad(() => grad(f)(3)).item()).toBe(12);
    expect(grad(cube)(tensor([1])).requiresGrad).toBe(false);
  });

  test('does not mix up a variable with one of the same value around it', () => {
    // d/dx x · (d/dy (x + y) at y = x) = 1
    const outer = grad((x: Tensor) => mul(x, grad((y: Tensor) => add(x, y))(x)));
    expect(outer(5).item()).toBe(1);
  });

  test('is 0 for what a function does not depend on', () => {
    expect(grad((_: Tensor) => tensor(1))(tensor([1, 2])).toArray()).toEqual([0, 0]);
  });

  test('works inside tidy, which keeps its result alone', () => {
    const slope = tidy(() => grad((x: Tensor) => sum(grad(cube)(x)))(tensor([2])));
    expect(slope.toArray()).toEqual([12]);
  });

  test('says what is wrong', () => {
    const x = tensor([1, 2]);
    expect(() => grad((y: Tensor) => y)(x)).toThrow(/one element, got shape \[2\]/);
    expect(() => grad(() => 3 as never)(x)).toThrow(/must give a tensor, got 3/);
    expect(() => grad(cube)(tensor([1], { dtype: 'int32' }))).toThrow(DTypeError);
    expect(() => grad((async (y: Tensor) => y) as never)(x)).toThrow(/must not be async/);
  });
});

describe('gradients', () => {
  test('takes results of operations, and several at once', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const square = mul(x, x);
    const y = sum(mul(square, x));
    const [bySquare, byX] = gradients(y, [square, x]);
    expect(bySquare.toArray()).toEqual([1, 2]);
    expect(byX.toArray()).toEqual([3, 12]);
    expect(x.grad).toBe(null);
  });

  test('frees the graph, but with createGraph', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = sum(mul(x, x));
    expect(gradients(y, [x], { createGraph: true })[0].requiresGrad).toBe(true);
    expect(gradients(y, [x])[0].toArray()).toEqual([2, 4]);
    expect(() => gradients(y, [x])).toThrow(/already used and freed/);
    expect(() => gradients(y, [x], { createGraph: true })).toThrow(AutogradError);
  });

  test('starts from a gradient', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const [slope] = gradients(mul(x, x), [x], { gradient: tensor([1, -1]) });
    expect(slope.toArray()).toEqual([2, -4]);
  });

  test('gives tensors of their own, and leaves the start alone', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const [inner, outer] = [add(x, 0), tensor([3, 4])];
    const start = tensor([5, 6]);
    const y = reshape(add(inner, outer), [2]);
    const given = gradients(y, [y, inner, x], { gradient: start });
    expect(start.toArray()).toEqual([5, 6]);
    start.dispose();
    given.forEach((gradient, i) => {
      expect(gradient.toArray()).toEqual([5, 6]);
      gradient.dispose();
      for (const other of given.slice(i + 1)) expect(other.toArray()).toEqual([5, 6]);
    });
  });

  test('gives 0 for what the output does not depend on', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const other = tensor([1, 2, 3], { requiresGrad: true });
    expect(gradients(sum(x), [other])[0].toArray()).toEqual([0, 0, 0]);
    expect(gradients(sum(x), [other], { createGraph: true })[0].toArray()).toEqual([0, 0, 0]);
  });

  test('tells a tensor from its detached twin', () => {
    const x = tensor([3], { requiresGrad: true });
    const y = sum(mul(mul(x, x.detach()), x));
    const [slope] = gradients(y, [x], { createGraph: true });
    expect(slope.toArray()).toEqual([18]);
    expect(gradients(sum(slope), [x])[0].toArray()).toEqual([6]);
  });

  test('passes through views', () => {
    const x = randn([2, 3], { requiresGrad: true, dtype: 'float64' });
    const y = sum(tanh(mul(x, x)));
    const [first] = gradients(y, [x], { createGraph: true });
    const [second] = gradients(sum(mul(first, first)), [x]);
    expect(second.shape).toEqual([2, 3]);
  });

  test('says what is wrong', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = mul(x, x);
    expect(() => gradients(y, [x])).toThrow(ShapeError);
    expect(() => gradients(sum(y), [tensor(1)])).toThrow(/input 0 .* does not depend/);
    expect(() => gradients(tensor(1), [x])).toThrow(/the output .* does not depend/);
    expect(() => gradients(sum(y), x as never)).toThrow(DTypeError);
    expect(() => gradients(sum(y), [x], { retain: true } as never)).toThrow(/no option 'retain'/);
  });
});

describe('operations from outside', () => {
  const loopSquare = defineOp<[NdArray], null, { x: NdArray }>('loopSquare', {
    forward: ([x]) => ({
      y: NdArray.fromTypedArray(
        x.data.map((v) => v * v),
        x.shape,
        x.dtype,
      ),
      saved: { x },
    }),
    backward: (gradOut, { x }) => {
      const g = gradOut.data;
      return [
        NdArray.fromTypedArray(
          x.data.map((v, i) => 2 * v * g[i]),
          x.shape,
          x.dtype,
        ),
      ];
    },
  });

  test('that compute with elements have a first derivative, and refuse a second', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(gradients(sum(loopSquare([x], null)), [x])[0].toArray()).toEqual([2, 4]);
    const y = sum(loopSquare([x], null));
    expect(() => gradients(y, [x], { createGraph: true })).toThrow(
      /reads the elements of an array \[2\] itself/,
    );
  });
});

test('a large network of its own has a second derivative on wasm as on reference', () => {
  const weights = [randn([4, 4]), randn([4, 4])];
  const f = (x: Tensor): Tensor => mean(relu(matmul(tanh(matmul(x, weights[0])), weights[1])));
  const x = randn([3, 4]);
  const direction = ones([3, 4]);
  const product = grad((y: Tensor) => sum(mul(grad(f)(y), direction)))(x);
  expect(product.shape).toEqual([3, 4]);
  expect(product.data.every(Number.isFinite)).toBe(true);
  expect(zeros([1]).item()).toBe(0);
});
