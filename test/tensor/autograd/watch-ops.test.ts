import { add, addmm, noGrad, ones, relu, type Tensor, tensor } from '@firelight/tensor';
import { type OpCall, watchOps } from '@firelight/tensor/extend';
import { expect, test } from 'vitest';

function watched(body: () => Tensor): { readonly calls: OpCall[]; readonly result: Tensor } {
  const calls: OpCall[] = [];
  const result = watchOps((call) => void calls.push(call), body);
  return { calls, result };
}

test('watchOps tells of operations with operands and results, recorded or not', () => {
  const x = tensor([[1, -2]], { requiresGrad: true });
  for (const run of [(body: () => Tensor) => body(), noGrad<Tensor>]) {
    const { calls, result } = watched(() => run(() => relu(addmm(1, x, ones([2, 2])))));
    expect(calls.map(({ op }) => op)).toEqual(['matmul', 'add', 'relu']);
    expect(calls[0].inputs[0]).toBe(x);
    expect(calls[0].attributes).toEqual({ a: false, b: false });
    expect(calls[2].inputs[0]).toBe(calls[1].output);
    expect(calls[2].output).toBe(result);
  }
});

test('watchOps ends with its body, and tells the innermost alone', () => {
  const x = ones([1]);
  const fail = (): Tensor => {
    throw new Error('body');
  };
  const { calls } = watched(() => {
    expect(watched(() => add(x, x)).calls).toHaveLength(1);
    return relu(x);
  });
  expect(() => watched(fail)).toThrow('body');
  add(x, x);
  expect(calls.map(({ op }) => op)).toEqual(['relu']);
});
