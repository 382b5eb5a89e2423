import { setBackend, setThreads } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { inFrame } from '../../../../packages/tensor/src/backend/wasm/runtime/frame.ts';
import { defineTask } from '../../../../packages/tensor/src/backend/wasm/runtime/task.ts';

const store = (name: string) =>
  defineTask(name, { target: 'address', value: 'f32' }, (f, { target, value }, { index }) => {
    f.store(target.plus(index.times(4)), value);
  });

const early = store('early');

test('a task that is defined after the first kernel runs as those before it, on all threads', async () => {
  const storeWith = (task: typeof early, value: number): number[] =>
    inFrame((frame) => {
      const { array, address } = frame.output([64]);
      frame.run(task, 64, { target: address, value });
      return Array.from(array.data);
    });
  setThreads(3);
  expect(storeWith(early, 7)).toEqual(Array(64).fill(7));
  const late = store('late');
  for (const wideVectors of [false, true, false]) {
    await setBackend('wasm', { wideVectors });
    const later = store('later');
    for (let round = 0; round < 20; round++) {
      for (const task of [late, early, later]) {
        expect(storeWith(task, round)).toEqual(Array(64).fill(round));
      }
      // Workers start meanwhile, and find the code of all tasks that ran before.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  setThreads(2);
}, 30_000);
