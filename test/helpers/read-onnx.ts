import { importOnnx } from '@firelight/nn/formats';
import { expect } from 'vitest';

/** Reads a file called `file` to a network, whose weights are no more than the file can hold. */
export async function readOnnx(bytes: Uint8Array): Promise<void> {
  const network = await importOnnx(bytes, { name: 'file' });
  const sizes = Object.values(network.stateDict()).map(({ size }) => size);
  expect(sizes.reduce((sum, size) => sum + 4 * size, 0)).toBeLessThan(8 * bytes.length + 64e6);
}
