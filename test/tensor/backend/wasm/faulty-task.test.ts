import { add, setBackend } from '@firelight/tensor';
import { defineTask } from '@firelight/tensor/extend/wasm';
import { expect, test } from 'vitest';

defineTask('faulty', { y: 'address' }, () => {
  throw new TypeError('no such value');
});

test('an error in the code that writes a task is its own, not one of the engine', async () => {
  expect(() => add([1], [2])).toThrow(TypeError);
  await expect(setBackend('wasm')).rejects.toThrow(/^no such value$/);
});
