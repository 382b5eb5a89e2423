import { describe, expect, test } from 'vitest';
import { ArrayStorage, withMemoryScope } from '../../../packages/tensor/src/core/memory.ts';
import { HostSource, type StorageCopy } from '../../../packages/tensor/src/core/storage-source.ts';

// Second places of a storage's elements, as backends with a device have them.

class Copy implements StorageCopy {
  frees = 0;
  readonly #staysOutside: boolean;

  constructor({ staysOutside = true } = {}) {
    this.#staysOutside = staysOutside;
  }

  free(): void {
    this.frees++;
  }

  leaveScopes(): boolean {
    return this.#staysOutside;
  }
}

const storageWith = (copy: Copy): ArrayStorage => {
  const storage = new ArrayStorage('float32', new HostSource(new Float32Array([1, 2])));
  storage.keepCopy('device', copy);
  return storage;
};

describe('copies of a storage', () => {
  test('are found by their key until the elements change', () => {
    const copy = new Copy();
    const storage = storageWith(copy);
    expect(storage.copyOf('device')).toBe(copy);
    expect(storage.copyOf('other')).toBeUndefined();
    storage.beginChange();
    expect(storage.copyOf('device')).toBeUndefined();
    expect(copy.frees).toBe(1);
  });

  test('stay when somebody reads the elements', () => {
    const copy = new Copy();
    const storage = storageWith(copy);
    expect(Array.from(storage.snapshot())).toEqual([1, 2]);
    expect(storage.copyOf('device')).toBe(copy);
  });

  test('go once with the storage, or with the scope that owns it', () => {
    const [own, scoped] = [new Copy(), new Copy()];
    const storage = storageWith(own);
    storage.release();
    storage.release();
    withMemoryScope(
      () => storageWith(scoped),
      () => [],
    );
    expect([own.frees, scoped.frees]).toEqual([1, 1]);
  });

  test('leave scopes only where they may', () => {
    const [staying, going] = [new Copy(), new Copy({ staysOutside: false })];
    const storages = withMemoryScope(
      () => [storageWith(staying), storageWith(going)],
      (result) => result,
    );
    expect(storages.map((storage) => storage.copyOf('device'))).toEqual([staying, undefined]);
    expect([staying.frees, going.frees]).toEqual([0, 1]);
  });

  test('survive a move of the elements', () => {
    const copy = new Copy();
    const storage = storageWith(copy);
    storage.replaceSource(new HostSource(new Float32Array([1, 2])));
    expect(storage.copyOf('device')).toBe(copy);
  });
});

test('elements that can only be read move before they change', () => {
  const onDevice = { length: 2, isReadOnly: true, read: () => new Float32Array([3, 4]) };
  const storage = new ArrayStorage('float32', onDevice);
  storage.beginChange();
  storage.source.read()[0] = 9;
  expect(Array.from(storage.source.read())).toEqual([9, 4]);
});
