import { BackendError } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena } from '../../../../packages/tensor/src/backend/wasm/runtime/arena.ts';

const PAGE = 65_536;

const makeArena = (maximum: number): Arena =>
  new Arena(new WebAssembly.Memory({ initial: 2, maximum, shared: true }), 4096);

test('blocks never overlap, are aligned, and all memory can be allocated again', () => {
  const operations = fc.array(
    fc.record({ bytes: fc.integer({ min: 0, max: 100_000 }), freed: fc.nat() }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(operations, (steps) => {
      const arena = makeArena(1024);
      const blocks: { address: number; bytes: number }[] = [];
      for (const { bytes, freed } of steps) {
        const address = arena.allocate(bytes);
        expect(address % 64).toBe(0);
        for (const other of blocks) {
          const isApart =
            address + bytes <= other.address || other.address + other.bytes <= address;
          expect(isApart || bytes === 0 || other.bytes === 0).toBe(true);
        }
        blocks.push({ address, bytes });
        if (freed % 3 === 0) arena.free(blocks.splice(freed % blocks.length, 1)[0].address);
      }
      for (const { address } of blocks) arena.free(address);
      expect(arena.usedBytes).toBe(0);
      // All of it is one block again.
      const whole = arena.allocate(2 * PAGE - 4096 - 256);
      expect(whole).toBe(4096);
    }),
    { seed: 20161104 },
  );
});

test('memory that is used up is an error with the remedy, and hurts nobody', () => {
  const arena = makeArena(16);
  const kept = arena.allocate(8 * PAGE);
  expect(() => arena.allocate(12 * PAGE)).toThrow(BackendError);
  expect(() => arena.allocate(12 * PAGE)).toThrow(
    /out of memory: 1 MiB more.*1 MiB in 1 arrays.*smaller batch size.*tidy/,
  );
  arena.free(kept);
  expect(arena.allocate(4 * PAGE)).toBe(4096);
});
