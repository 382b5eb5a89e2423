import { type Doubles, highToDoubles, lowToDoubles, splatF64 } from '../../assembler/doubles.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadF64x2, loadPair } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type F32, F64, f64, type I32 } from '../../assembler/scalars.ts';
import { type Floats, sideBySide, splat } from '../../assembler/vectors.ts';
import { halvesOf } from './halves.ts';

/** The nearest float32 of four float64 in two vectors, or in the parts of two. */
export function toFloats([low, high]: readonly [Doubles, Doubles]): Floats {
  return low.toFloats().shuffle(high.toFloats(), [0, 1, 4, 5]);
}

/** Vectors that may be added in float32 before a sum in float64 takes them: so few lose little. */
export const COLLECTED_VECTORS = 16;

/**
 * A sum of float32 in float64. In float32, numbers that are added one by one to a sum a million times
 * as large lose their last digits, each in the same direction, and a sum may overflow on the way to a
 * result that is in range.
 */
export class LongSum {
  readonly #f: FunctionBuilder;
  readonly #low: Local<Doubles>;
  readonly #high: Local<Doubles>;
  readonly #single: Local<F64>;
  readonly #collected: Local<Floats>;

  constructor(f: FunctionBuilder) {
    this.#f = f;
    this.#low = f.f64x2();
    this.#high = f.f64x2();
    this.#single = f.f64();
    this.#collected = f.f32x8();
    this.clear();
  }

  clear(): void {
    this.#low.set(splatF64(0));
    this.#high.set(splatF64(0));
    this.#single.set(f64(0));
    this.#collected.set(splat(0));
  }

  /** Adds four numbers, given as a variable because they are read twice. */
  add(values: Local<Floats>): void {
    this.#low.set(this.#low.plus(lowToDoubles(values)));
    this.#high.set(this.#high.plus(highToDoubles(values)));
  }

  /**
   * Adds eight numbers in float32, the fastest; or four. After at most COLLECTED_VECTORS must follow
   * `flush`.
   */
  collect(values: Floats): void {
    const [first, second] = this.#collected.vectors;
    const isHalf = values.lanes === 4;
    this.#collected.set(
      isHalf ? sideBySide([first.plus(values), second]) : this.#collected.plus(values),
    );
  }

  flush(): void {
    for (const half of halvesOf(this.#f, this.#collected)) this.add(half);
    this.#collected.set(splat(0));
  }

  /** Adds the four numbers at an address. */
  addAt(address: I32, offset = 0): void {
    this.#low.set(this.#low.plus(lowToDoubles(loadPair(address, offset))));
    this.#high.set(this.#high.plus(lowToDoubles(loadPair(address, offset + 8))));
  }

  /** The same of four float64. */
  addDoublesAt(address: I32, offset = 0): void {
    this.#low.set(this.#low.plus(loadF64x2(address, offset)));
    this.#high.set(this.#high.plus(loadF64x2(address, offset + 16)));
  }

  addSingle(value: F32 | F64): void {
    const term = value instanceof F64 ? value : value.toF64();
    this.#single.set(this.#single.plus(term));
  }

  /** The sum of each lane, as float64 in two vectors. */
  get lanes(): readonly [Doubles, Doubles] {
    return [this.#low, this.#high];
  }

  /** The sum of all numbers. */
  get total(): F64 {
    const both = this.#low.plus(this.#high);
    return both.lane(0).plus(both.lane(1)).plus(this.#single);
  }
}
