import type { ReadonlyTypedArray } from './dtype.ts';

/** So many readers of one content get a copy each; who reads more often loops over the elements. */
const OWN_COPIES = 8;
/** Most copies that are kept for such loops, in all. */
const KEPT_COPIES = 8;

/** Readings that keep a copy, the oldest first. They know no storage, which would stay alive. */
const keeping: Readings[] = [];

/**
 * Copies of the elements of one storage, for those who read them between two changes. Each reader
 * gets one of its own, so that writing to it harms nobody. But a loop that reads `x.data[i]` for
 * every i must not copy all elements every time: it gets the same copy again.
 */
export class Readings {
  #count = 0;
  #kept: ReadonlyTypedArray | null = null;

  next(copy: () => ReadonlyTypedArray): ReadonlyTypedArray {
    if (this.#kept !== null) return this.#kept;
    const elements = copy();
    this.#count++;
    if (this.#count > OWN_COPIES) this.#keep(elements);
    return elements;
  }

  #keep(elements: ReadonlyTypedArray): void {
    this.#kept = elements;
    keeping.push(this);
    if (keeping.length > KEPT_COPIES) keeping[0].forget();
  }

  /** Lets go of the copy, because the elements change or are released, or others need its place. */
  forget(): void {
    if (this.#kept === null) return;
    this.#kept = null;
    keeping.splice(keeping.indexOf(this), 1);
  }
}
