import { openCheckpoint } from '@firelight/nn/formats';
import { DTYPES } from '@firelight/tensor';
import { expect } from 'vitest';

/** Opens a file called `file` and decodes all that is in it, which must be whole and not too much. */
export async function readAll(bytes: Uint8Array): Promise<void> {
  const { tensors, optimizer } = await openCheckpoint(bytes, { name: 'file' });
  let total = 0;
  for (const named of [tensors, optimizer?.state ?? {}]) {
    for (const name of Object.keys(named)) {
      const { dtype, shape, array } = named[name];
      total += array.data.byteLength;
      expect(DTYPES).toContain(dtype);
      expect(array.data.length).toBe(shape.reduce((product, n) => product * n, 1));
    }
  }
  expect(total).toBeLessThan(8 * bytes.length + 64e6);
}
