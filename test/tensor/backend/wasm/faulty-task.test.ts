import { add } from '@firelight/tensor';
import { defineTask, inFrame } from '@firelight/tensor/extend/wasm';
import { expect, test } from 'vitest';

const faulty = defineTask('faulty', { y: 'address' }, () => {
  throw new TypeError('no such value');
});

test('an error in the code that writes a task is its own, and concerns no other', () => {
  const run = (): void =>
    inFrame((frame) => {
      const { address } = frame.output([1]);
      frame.run(faulty, 1, { y: address });
    });
  expect(run).toThrow(TypeError);
  expect(run).toThrow(/^no such value$/);
  expect(add([1], [2]).toArray()).toEqual([3]);
});
