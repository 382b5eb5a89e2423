import { runtime } from './runtime.ts';

/**
 * Tables of byte offsets in WebAssembly's memory, kept from call to call because training repeats
 * the same shapes.
 */

const LIMIT_BYTES = 64 * 2 ** 20;
/** Tables of one call are never evicted by each other. */
const LEAST_KEPT = 16;

interface Table {
  readonly address: number;
  readonly bytes: number;
}

const tables = new Map<string, Table>();
let totalBytes = 0;

/** The address of the table named `key`; `build` makes it when it is not there. */
export function offsetTable(key: string, build: () => Int32Array): number {
  const known = tables.get(key);
  if (known !== undefined) {
    tables.delete(key); // Set again: the map's order is that of the last use.
    tables.set(key, known);
    return known.address;
  }
  const { arena, memory } = runtime();
  const offsets = build();
  const table = { address: arena.allocate(offsets.byteLength), bytes: offsets.byteLength };
  new Int32Array(memory.buffer, table.address, offsets.length).set(offsets);
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

/**
 * Tables are read in whole panels of 8. What is missing repeats the first offset of the panel: it can
 * be read, and does not make the panel look like eight neighbours.
 */
export function paddedToPanels(offsets: readonly number[] | Int32Array): Int32Array {
  const padded = new Int32Array(Math.max(8, Math.ceil(offsets.length / 8) * 8));
  padded.set(offsets);
  padded.fill(offsets[Math.floor(offsets.length / 8) * 8] ?? 0, offsets.length);
  return padded;
}

/** Offsets i · stride bytes for i < count. */
export function linearTable(count: number, stride: number): number {
  return offsetTable(`linear ${count} ${stride}`, () =>
    paddedToPanels(Int32Array.from({ length: count }, (_, i) => i * stride)),
  );
}
