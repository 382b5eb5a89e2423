import type { Address } from './address.ts';
import { runtime } from './runtime.ts';

/**
 * Tables of numbers in WebAssembly's memory, kept from call to call because training repeats the
 * same shapes.
 */

const LIMIT_BYTES = 64 * 2 ** 20;
/** Tables of one call are never evicted by each other. */
const LEAST_KEPT = 16;

interface Table {
  readonly address: Address;
  readonly bytes: number;
}

const tables = new Map<string, Table>();
let totalBytes = 0;

/** The address of the table named `key`; `build` makes it when it is not there. */
export function keptTable(key: string, build: () => Int32Array): Address {
  const known = tables.get(key);
  if (known !== undefined) {
    tables.delete(key); // Set again: the map's order is that of the last use.
    tables.set(key, known);
    return known.address;
  }
  const { arena, memory } = runtime();
  const numbers = build();
  const table = { address: arena.allocate(numbers.byteLength), bytes: numbers.byteLength };
  new Int32Array(memory.buffer, table.address, numbers.length).set(numbers);
  tables.set(key, table);
  totalBytes += table.bytes;
  for (const [oldest, { address, bytes }] of tables) {
    if (totalBytes <= LIMIT_BYTES || tables.size <= LEAST_KEPT) break;
    arena.free(address);
    totalBytes -= bytes;
    tables.delete(oldest);
  }
  return table.address;
}
