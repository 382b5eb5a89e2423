import type { LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { ENDING } from '../../micro-kernel/micro-kernel.ts';
import type { FieldValues } from '../../runtime/task.ts';

/** A matrix for each group and each `outer`, in memory by tables of offsets; see `offset-table.ts`. */
export const OPERAND = {
  address: 'address',
  kOffsets: 'address',
  /** One for each row of A or column of B. */
  lineOffsets: 'address',
  groupStride: 'bytes',
  outerStride: 'bytes',
} as const;

/** One that is packed the way its elements lie. */
export const DIRECTED_OPERAND = {
  ...OPERAND,
  /** Whether neighbours along k are neighbours in memory, else those of different lines. */
  along: 'flag',
} as const;

export type DirectedOperand = FieldValues<typeof DIRECTED_OPERAND>;

/** How a product ends; see `MODE`. */
export type Ending = FieldValues<typeof ENDING>;

/** The address of one of the matrices. */
export function matrixOf(
  {
    address,
    groupStride,
    outerStride,
  }: LocalsOf<{
    address: 'address';
    groupStride: 'bytes';
    outerStride: 'bytes';
  }>,
  group: I32,
  outer: I32,
): I32 {
  return address.plus(group.times(groupStride)).plus(outer.times(outerStride));
}
