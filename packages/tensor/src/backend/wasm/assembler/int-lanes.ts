import { OPCODE } from './opcodes.ts';
import { Ints } from './vectors.ts';

/** Given int32, four for each part. */
export function intLanes(values: readonly number[]): Ints {
  const bytes = Array.from(new Uint8Array(Int32Array.from(values).buffer));
  const parts = Array.from({ length: values.length / 4 }, (_, i) =>
    bytes.slice(i * 16, i * 16 + 16),
  );
  return new Ints(parts.map((part) => [...OPCODE['v128.const'], ...part]));
}
