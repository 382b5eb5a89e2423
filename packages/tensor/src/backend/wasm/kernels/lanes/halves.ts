import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { Floats } from '../../assembler/vectors.ts';

/**
 * The halves of eight lanes as two values. The bits are added and subtracted again for V8
 * alone: it packs what leads to two vectors that are stored, or added as integers, and nothing else.
 */
export function halvesOf(
  f: FunctionBuilder,
  { vectors: [first, second] }: Floats,
): Local<Floats>[] {
  const both = f.i32x4(first.bits().plus(second.bits()));
  return [f.f32x4(both.minus(second.bits()).bits()), f.f32x4(second)];
}
