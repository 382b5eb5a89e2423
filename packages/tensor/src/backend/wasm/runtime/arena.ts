import { BackendError } from '../../../core/errors.ts';
import type { Address } from './address.ts';

const PAGE = 65_536;
/** Blocks start at cache lines, and vector code may read and write up to the next one. */
const ALIGNMENT = 64;
/** Code may read a few bytes behind the last block. */
const SLACK = 256;
/** Growing is cheap, but not free: take at least this much at once. */
const GROWTH = 16 * 2 ** 20;

export const INITIAL_PAGES = 256;
export const MAXIMUM_PAGES = 65_536;

/**
 * Hands out blocks of WebAssembly memory: best fit, neighbours merged when freed. What a training
 * step frees the next one takes again, so after the first steps no page is touched for the first
 * time any more.
 */
export class Arena {
  readonly #memory: WebAssembly.Memory;
  /** Free blocks, by ascending address. */
  readonly #free: { address: number; bytes: number }[];
  /** Bytes of each block handed out. */
  readonly #used = new Map<number, number>();
  #end: number;
  #usedBytes = 0;

  /** @param start first address that may be handed out */
  constructor(memory: WebAssembly.Memory, start: number) {
    this.#memory = memory;
    this.#end = memory.buffer.byteLength - SLACK;
    this.#free = [{ address: start, bytes: this.#end - start }];
  }

  /** Bytes handed out now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * The address of a block of at least `bytes`; its content is arbitrary.
   *
   * @throws BackendError if the memory cannot grow any more
   */
  allocate(bytes: number): Address {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const block = (this.#takeBestFit(size) ?? this.#grow(size)) as Address;
    this.#used.set(block, size);
    this.#usedBytes += size;
    return block;
  }

  free(address: number): void {
    const bytes = this.#used.get(address);
    if (bytes === undefined) throw new BackendError(`wasm: address ${address} is not in use`);
    this.#used.delete(address);
    this.#usedBytes -= bytes;
    this.#give(address, bytes);
  }

  #takeBestFit(size: number): number | null {
    let best: { address: number; bytes: number } | null = null;
    for (const block of this.#free) {
      if (block.bytes >= size && (best === null || block.bytes < best.bytes)) best = block;
    }
    if (best === null) return null;
    const { address } = best;
    best.address += size;
    best.bytes -= size;
    if (best.bytes === 0) this.#free.splice(this.#free.indexOf(best), 1);
    return address;
  }

  #give(address: number, bytes: number): void {
    let next = this.#free.findIndex((block) => block.address > address);
    if (next < 0) next = this.#free.length;
    const before = this.#free[next - 1];
    const after = this.#free[next];
    const joinsBefore = before !== undefined && before.address + before.bytes === address;
    const joinsAfter = after !== undefined && address + bytes === after.address;
    if (joinsBefore) {
      before.bytes += bytes + (joinsAfter ? after.bytes : 0);
      if (joinsAfter) this.#free.splice(next, 1);
    } else if (joinsAfter) {
      after.address = address;
      after.bytes += bytes;
    } else {
      this.#free.splice(next, 0, { address, bytes });
    }
  }

  #grow(size: number): number {
    const last = this.#free.at(-1);
    const atEnd = last !== undefined && last.address + last.bytes === this.#end ? last.bytes : 0;
    const missing = Math.ceil((size - atEnd) / PAGE);
    const wanted = Math.max(missing, GROWTH / PAGE);
    if (!this.#tryGrow(wanted) && !this.#tryGrow(missing)) this.#throwExhausted(size);
    const end = this.#memory.buffer.byteLength - SLACK;
    this.#give(this.#end, end - this.#end);
    this.#end = end;
    return this.#takeBestFit(size) as number; // The last block has room now.
  }

  #tryGrow(pages: number): boolean {
    try {
      this.#memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }

  #throwExhausted(size: number): never {
    const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    throw new BackendError(
      `wasm: out of memory: ${mebibytes(size)} more are needed, ${mebibytes(this.#usedBytes)} in ` +
        `${this.#used.size} arrays are in use, and WebAssembly ends at 4096 MiB. Use a smaller ` +
        'batch size or smaller images; if memory fills up over many steps, run each in tidy().',
    );
  }
}
