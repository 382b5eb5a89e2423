import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';

/** An array seen as [outer, length, inner]; its middle axis is reduced. */
export interface MiddleAxis {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/**
 * How the middle axis is reduced piece by piece, to [outer, pieces, inner]; what is left of an axis of
 * several pieces is reduced again.
 */
export const PIECES = {
  outer: 'i32',
  length: 'i32',
  inner: 'i32',
  pieces: 'i32',
  pieceLength: 'i32',
  itemsOfPart: 'i32',
} as const;

/** How an axis is cut into pieces of `pieceLength`, and these are dealt out to parts of a job. */
export function cutAxis({ outer, length, inner }: MiddleAxis, pieceLength: number) {
  const pieces = Math.ceil(length / pieceLength);
  const items = outer * pieces;
  const itemsOfPart = Math.max(1, Math.floor(CHUNK / (pieceLength * inner)));
  return {
    pieces,
    /** Rows of the result. */
    items,
    parts: Math.ceil(items / itemsOfPart),
    cut: { outer, length, inner, pieces, pieceLength, itemsOfPart },
  };
}

/** Calls `body` for each piece that a part of the job reduces, to one element or a row of them. */
export function forPieces(
  f: FunctionBuilder,
  p: LocalsOf<typeof PIECES>,
  part: I32,
  body: (item: I32, piece: { start: I32; length: Local<I32> }) => void,
): void {
  const { first, end } = partRange(f, part, p.itemsOfPart, p.outer.times(p.pieces));
  const length = f.i32();
  f.for(first, end, 1, (item) => {
    const firstOfPiece = f.i32(item.modulo(p.pieces).times(p.pieceLength));
    length.set(p.length.minus(firstOfPiece));
    length.set(length.min(p.pieceLength));
    const start = f.i32(item.dividedBy(p.pieces).times(p.length).plus(firstOfPiece));
    body(item, { start, length });
  });
}
