import type { FirelightError } from '@firelight/tensor';

/** Writes numbers of a few bits one behind the other, the highest bit first. */
export class BitWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  /** Bits that are not yet a byte, and their number. */
  #pending = 0;
  #count = 0;

  /** @param length of `value` in bits, at most 24 */
  write(value: number, length: number): void {
    this.#pending = (this.#pending << length) | value;
    this.#count += length;
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#push((this.#pending >>> this.#count) & 0xff);
    }
    this.#pending &= (1 << this.#count) - 1;
  }

  /** All that was written; zeros fill the last byte. */
  finish(): Uint8Array {
    if (this.#count > 0) this.write(0, 8 - this.#count);
    return this.#bytes.slice(0, this.#length);
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}

/** Reads the bits of bytes, the highest of each first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #ended: () => FirelightError;
  #at = 0;

  /** @param ended makes the error for bits behind the end */
  constructor(bytes: Uint8Array, ended: () => FirelightError) {
    this.#bytes = bytes;
    this.#ended = ended;
  }

  bit(): number {
    const at = this.#at++;
    if (at >>> 3 >= this.#bytes.length) throw this.#ended();
    return (this.#bytes[at >>> 3] >>> (7 - (at & 7))) & 1;
  }

  /** Whether nothing is left but the zeros that fill the last byte. */
  isAtEnd(): boolean {
    const left = this.#bytes.length * 8 - this.#at;
    return (
      left < 8 && (left === 0 || (this.#bytes[this.#bytes.length - 1] & ((1 << left) - 1)) === 0)
    );
  }
}
