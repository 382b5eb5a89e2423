import { BackendError } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { inFrame } from '../../../../packages/tensor/src/backend/wasm/runtime/frame.ts';
import { defineTask } from '../../../../packages/tensor/src/backend/wasm/runtime/task.ts';

const store = (name: string) =>
  defineTask(name, { target: 'i32', value: 'f32' }, (f, { target, value }) => {
    f.store(target, value);
  });

const early = store('early');

test('a task that is defined after the first kernel is refused, and those before it run on', () => {
  const storeWith = (task: typeof early): number =>
    inFrame((frame) => {
      const { array, address } = frame.output([1]);
      frame.run(task, 1, { target: address, value: 7 });
      return array.data[0];
    });
  expect(storeWith(early)).toBe(7);
  const late = store('late');
  expect(() => storeWith(late)).toThrow(BackendError);
  expect(() => storeWith(late)).toThrow(
    "wasm: task 'late' was defined after the first kernel ran, when the module with all tasks was " +
      'made; define it in a module that is imported before',
  );
  expect(storeWith(early)).toBe(7);
});
