import { memory, setBackend } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { trainSmall } from '../small-training.ts';

// In a file, and so in a page, of its own: nothing that other tests left is collected meanwhile.

test('125 training steps leave nothing behind', async () => {
  // Counted where they are made: below gpu.js, in the browser itself.
  const prototype = WebGL2RenderingContext.prototype;
  const { createTexture, deleteTexture } = prototype;
  let textures = 0;
  prototype.createTexture = function () {
    textures++;
    return createTexture.call(this);
  };
  prototype.deleteTexture = function (texture) {
    if (texture !== null) textures--;
    deleteTexture.call(this, texture);
  };
  try {
    await setBackend('gpu');
    const counts = new Map<number, number[]>();
    await trainSmall({
      steps: 125,
      afterStep(step) {
        if (step % 25 === 0) counts.set(step, [textures, memory().tensors, memory().bytes]);
      },
    });
    const [first, ...later] = [...counts.values()];
    expect(later).toHaveLength(4);
    for (const count of later) expect(count).toEqual(first);
  } finally {
    Object.assign(prototype, { createTexture, deleteTexture });
  }
}, 300_000); // A software GPU on two cores.
