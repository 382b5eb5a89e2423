import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';

/** The items of part `index` when `total` are dealt out `size` a part: from `first` to before `end`. */
export function partRange(
  f: FunctionBuilder,
  index: I32,
  size: I32 | number,
  total: I32,
): { first: Local<I32>; end: Local<I32> } {
  const first = f.i32(index.times(size));
  return { first, end: endOf(f, first, size, total) };
}

/** Where `size` items from `first` on end, at the latest with the last of `total`. */
export function endOf(f: FunctionBuilder, first: I32, size: I32 | number, total: I32): Local<I32> {
  const end = f.i32(first.plus(size));
  end.set(end.min(total));
  return end;
}

/** How many items are left from `first` on of `total`, at most `size`. */
export function countFrom(
  f: FunctionBuilder,
  first: I32,
  size: I32 | number,
  total: I32,
): Local<I32> {
  const count = f.i32(total.minus(first));
  count.set(count.min(size));
  return count;
}
