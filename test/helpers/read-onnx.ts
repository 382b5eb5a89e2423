import { importOnnx } from '@firelight/nn/formats';
import { expect } from 'vitest';
import { fuzzReader } from './fuzz-reader.ts';

/** Reads files with random changes: each gives a clear error or a network, and changes nothing else. */
export async function fuzzOnnx(
  original: Uint8Array,
  numRuns: number,
): Promise<{ readonly read: number; readonly refused: number; readonly slowest: number }> {
  let slowest = 0;
  const read = async (bytes: Uint8Array): Promise<void> => {
    const start = performance.now();
    try {
      const network = await importOnnx(bytes, { name: 'file' });
      const sizes = Object.values(network.stateDict()).map(({ size }) => size);
      expect(sizes.reduce((sum, size) => sum + 4 * size, 0)).toBeLessThan(8 * bytes.length + 64e6);
    } finally {
      slowest = Math.max(slowest, performance.now() - start);
    }
  };
  return { ...(await fuzzReader([original], read, { numRuns })), slowest };
}
