import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import {
  add,
  BackendError,
  broadcastTo,
  Generator,
  ones,
  randn,
  relu,
  type Tensor,
  tensor,
  tidy,
} from '@firelight/tensor';
import { expect, test } from 'vitest';
import { runtime } from '../../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';

function makeStep(): () => number {
  const generator = new Generator(0);
  const network = new SqueezeNet({
    numClasses: 10,
    version: '1.1',
    stem: 'cifar',
    metaparameters: { baseExpand: 16, expandIncrement: 16 },
    batchNorm: true,
    generator,
  });
  const optimizer = new Momentum(network.parameters(), { learningRate: 0.01, momentum: 0.9 });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const images = randn([2, 3, 16, 16], { generator });
  const labels = tensor(Int32Array.from([1, 2]));
  return () => {
    const loss = lossFn.forward(network.forward(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}

test('the arena is flat over 400 training steps, with tidy and without', () => {
  const { arena, memory } = runtime();
  const step = makeStep();
  for (let i = 0; i < 10; i++) {
    tidy(step);
    step();
  }
  const used = arena.usedBytes;
  const reserved = memory.buffer.byteLength;
  for (let i = 0; i < 200; i++) tidy(step);
  expect(arena.usedBytes).toBe(used);
  // Without tidy nothing tells that a tensor is not needed any more, and yet the arena must not grow.
  for (let i = 0; i < 200; i++) step();
  expect(arena.usedBytes).toBe(used);
  expect(memory.buffer.byteLength).toBe(reserved);
}, 120_000);

test('what lives outside of tidy stays readable after thousands of other results', () => {
  const kept: { tensor: Tensor; data: ArrayLike<number> }[] = [];
  for (let i = 0; i < 50; i++) {
    const result = tidy(() => relu(add(ones([1000]), i)));
    const copy = add(result, 0);
    kept.push({ tensor: copy, data: copy.data });
    tidy(() => add(ones([5000]), -1));
  }
  kept.forEach(({ tensor: value, data }, i) => {
    expect(data[999]).toBe(i + 1);
    expect(value.data[0]).toBe(i + 1);
  });
});

test('more than 4 GiB is an error that names the remedy, and the next operation works', () => {
  const { arena } = runtime();
  const used = arena.usedBytes;
  const tooLarge = (): Tensor => broadcastTo(ones([1]), [1_200_000_000]);
  expect(tooLarge).toThrow(BackendError);
  expect(tooLarge).toThrow(/out of memory: 4578 MiB more are needed.*4096 MiB.*smaller batch size/);
  expect(arena.usedBytes).toBe(used);
  expect(add(ones([2]), 1).toArray()).toEqual([2, 2]);
});
