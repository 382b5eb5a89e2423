import {
  AutogradError,
  add,
  assign,
  defineOp,
  gradCheck,
  mul,
  noGrad,
  ones,
  relu,
  reshape,
  ShapeError,
  sub,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const gradOf = (x: Tensor): number[] => Array.from(x.grad?.data ?? []);

describe('backward', () => {
  test('adds up over all uses of a tensor', () => {
    const x = leaf([2, 3]);
    const square = mul(x, x);
    sum(add(mul(square, x), square)).backward(); // x³ + x²
    expect(gradOf(x)).toEqual([3 * 4 + 2 * 2, 3 * 9 + 2 * 3]);
  });

  test('adds to the gradient of an earlier call', () => {
    const x = leaf([1, 2]);
    sum(mul(x, 3)).backward();
    sum(mul(x, x)).backward();
    expect(gradOf(x)).toEqual([5, 7]);
  });

  test('gives each tensor a gradient of its own, also where both are the same', () => {
    const [a, b] = [leaf([1]), leaf([2])];
    const gradient = ones([1]);
    add(a, b).backward(gradient);
    assign(a.grad as Tensor, 9);
    expect(gradOf(b)).toEqual([1]);
    expect(gradient.item()).toBe(1);
  });

  test('counts a tensor added to itself twice', () => {
    const x = leaf([1, 1]);
    const y = add(x, x);
    sum(add(y, reshape(y, [2]))).backward();
    expect(gradOf(x)).toEqual([4, 4]);
  });

  test('works on a leaf itself', () => {
    const x = tensor(3, { requiresGrad: true });
    x.backward();
    expect(x.grad?.item()).toBe(1);
  });

  test('sums over broadcast axes', () => {
    const [x, bias] = [ones([4, 3], { requiresGrad: true }), leaf([1, 2, 3])];
    sum(mul(x, bias)).backward();
    expect(gradOf(bias)).toEqual([4, 4, 4]);
    expect(x.grad?.toArray()).toEqual([1, 1, 1, 1].map(() => [1, 2, 3]));
  });

  test('does not overflow the stack on a deep graph', () => {
    const x = leaf([1]);
    let y: Tensor = x;
    for (let i = 0; i < 20_000; i++) y = add(y, 1);
    y.backward();
    expect(gradOf(x)).toEqual([1]);
  });

  test('leaves tensors without requiresGrad alone', () => {
    const [x, constant] = [leaf([1]), tensor([5])];
    sum(mul(x, constant)).backward();
    expect(constant.grad).toBeNull();
  });

  test.each<[what: string, act: () => void, error: new (...a: never[]) => Error, message: RegExp]>([
    ['nothing to differentiate', () => tensor(1).backward(), AutogradError, /does not depend/],
    ['a non-scalar', () => mul(leaf([1, 2]), 2).backward(), ShapeError, /shape \[2\] needs a grad/],
    [
      'a gradient of another shape',
      () => mul(leaf([1, 2]), 2).backward(ones([3])),
      ShapeError,
      /must have the shape of the tensor\n {2}tensor {3}\[2\]\n {2}gradient \[3\]/,
    ],
    [
      'a second time',
      () => {
        const loss = sum(leaf([1]));
        loss.backward();
        loss.backward();
      },
      AutogradError,
      /the graph through 'sum' was already used and freed/,
    ],
    [
      'a graph that shares a used part',
      () => {
        const shared = mul(leaf([1]), 2);
        sum(shared).backward();
        sum(add(shared, 1)).backward();
      },
      AutogradError,
      /the graph through 'mul' was already used/,
    ],
  ])('refuses %s', (_, act, error, message) => {
    expect(act).toThrow(error);
    expect(act).toThrow(message);
  });
});

describe('recording', () => {
  test('stops inside noGrad, also after an error in it', () => {
    const x = leaf([1]);
    expect(noGrad(() => mul(x, 2)).requiresGrad).toBe(false);
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(mul(x, 2).requiresGrad).toBe(true);
  });

  test('noGrad refuses an async function', () => {
    expect(() => noGrad(async () => 1)).toThrow(ValueError);
    expect(() => noGrad(async () => 1)).toThrow(/noGrad: the function must not be async/);
  });

  test('uses requiresGrad as it is at the moment, forward and backward', () => {
    const [a, b] = [3, 4].map((value) => tensor([value], { requiresGrad: true }));
    b.requiresGrad = false;
    expect(mul(b, b).requiresGrad).toBe(false);
    mul(a, b).backward();
    expect([a.grad?.item(), b.grad]).toEqual([4, null]);
    b.requiresGrad = true;
    const product = mul(a, b);
    a.requiresGrad = false;
    product.backward();
    expect([a.grad?.item(), b.grad?.item()]).toEqual([4, 3]);
    expect(() => {
      product.requiresGrad = false;
    }).toThrow(/requiresGrad: cannot be changed on the result of 'mul'; use detach\(\)/);
    const integers = tensor([1], { dtype: 'int32' });
    integers.requiresGrad = false;
    expect(() => {
      integers.requiresGrad = true;
    }).toThrow(/requiresGrad needs dtype float32 or float64, got int32 of shape \[1\]/);
  });

  test('stops at detach', () => {
    const x = leaf([3]);
    sum(mul(x, x.detach())).backward();
    expect(gradOf(x)).toEqual([3]);
  });
});

describe('defineOp', () => {
  test('reports a backward that returns a wrong shape', () => {
    const broken = defineOp<[Tensor['array']], null, null>('broken', {
      forward: ([x]) => ({ y: x.withShape([2, 1]), saved: null }),
      backward: (gradOut) => [gradOut],
    });
    const act = () => sum(broken([leaf([1, 2])], null)).backward();
    expect(act).toThrow(/backward of broken: the gradient has shape \[2, 1\], its input \[2\]/);
  });
});

describe('gradCheck', () => {
  test('accepts a right gradient and does not change its inputs', () => {
    const x = tensor([[0.5, -1]]);
    expect(gradCheck((a) => mul(a, a), [x])).toBeLessThan(1e-9);
    expect(x.toArray()).toEqual([[0.5, -1]]);
    expect(x.grad).toBeNull();
  });

  const wrong = (backward: (g: Tensor['array']) => Tensor['array']) =>
    defineOp<[Tensor['array']], null, null>('wrong', {
      forward: ([x]) => ({ y: x.withShape([...x.shape]), saved: null }),
      backward: (gradOut) => [backward(gradOut)],
    });

  test('reports a wrong and a missing gradient with both values', () => {
    const doubled = wrong((g) => add(tensor(g.data, { shape: g.shape }), 1).array);
    expect(() => gradCheck((x) => doubled([x], null), [tensor([1, 2])])).toThrow(AutogradError);
    expect(() => gradCheck((x) => doubled([x], null), [tensor([1, 2])])).toThrow(
      /backward gives -?[\d.]+ along .* derivative is -?[\d.]+ .*input shapes \[2\]/,
    );
    expect(() => gradCheck((x) => add(x.detach(), mul(x, 0)), [tensor([1, 2])])).toThrow(/gives/);
  });

  test('sees a transposed Jacobian, which a sum along one direction would not', () => {
    const shear = (x: Tensor, [a, b]: [number, number]) => {
      const [first, second] = [x.data[0], x.data[1]];
      return tensor([first + a * second, second + b * first], { dtype: 'float64' }).array;
    };
    const transposed = defineOp<[Tensor['array']], null, null>('transposed', {
      forward: ([x]) => ({ y: shear(tensor(x.data), [1, 0]), saved: null }),
      backward: (gradOut) => [shear(tensor(gradOut.data), [1, 0])],
    });
    expect(() => gradCheck((x) => transposed([x], null), [tensor([1, 2])])).toThrow(AutogradError);
  });

  test('reports a function at its kink', () => {
    expect(() => gradCheck(relu, [tensor([0, 0])])).toThrow(AutogradError);
    expect(() => gradCheck(() => sub(1, 2), [])).toThrow(/needs at least one input/);
  });
});
