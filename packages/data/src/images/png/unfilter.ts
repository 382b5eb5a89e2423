import { DataError } from '../../core/errors.ts';
import type { Pass } from './header.ts';

/**
 * Undoes the filters of one pass in place: each row begins with the number of its filter, and bytes
 * are differences to those of the pixel to the left (`a`), of the row above (`b`), or both (`c`).
 *
 * @param start where the pass begins in `raw`
 * @param step bytes from a pixel to the next, at least 1
 * @throws DataError for an unknown filter
 * @see PNG specification, third edition, "Filter types for filter method 0"
 */
export function unfilter(raw: Uint8Array, start: number, pass: Pass, step: number): void {
  const { height, rowBytes } = pass;
  for (let row = 0; row < height; row++) {
    const at = start + row * (rowBytes + 1) + 1;
    const above = row === 0 ? -1 : at - rowBytes - 1;
    const filter = raw[at - 1];
    if (filter === 1) undoSub(raw, at, at + rowBytes, step);
    else if (filter === 2) undoUp(raw, at, at + rowBytes, above);
    else if (filter === 3) undoAverage(raw, at, at + rowBytes, above, step);
    else if (filter === 4) undoPaeth(raw, at, at + rowBytes, above, step);
    else if (filter !== 0)
      throw new DataError(`a row has filter ${filter}, which PNG does not have`);
  }
}

function undoSub(raw: Uint8Array, start: number, end: number, step: number): void {
  for (let i = start + step; i < end; i++) raw[i] += raw[i - step];
}

/** `above` is where the row above begins, −1 if there is none, which counts as zeros. */
function undoUp(raw: Uint8Array, start: number, end: number, above: number): void {
  if (above < 0) return;
  for (let i = start, b = above; i < end; i++, b++) raw[i] += raw[b];
}

function undoAverage(
  raw: Uint8Array,
  start: number,
  end: number,
  above: number,
  step: number,
): void {
  for (let i = start; i < end; i++) {
    const a = i - step < start ? 0 : raw[i - step];
    const b = above < 0 ? 0 : raw[above + i - start];
    raw[i] += (a + b) >> 1;
  }
}

function undoPaeth(raw: Uint8Array, start: number, end: number, above: number, step: number): void {
  if (above < 0) {
    undoSub(raw, start, end, step);
    return;
  }
  for (let i = start, up = above; i < end; i++, up++) {
    const isFirst = i - step < start;
    const a = isFirst ? 0 : raw[i - step];
    const b = raw[up];
    const c = isFirst ? 0 : raw[up - step];
    const distanceA = Math.abs(b - c);
    const distanceB = Math.abs(a - c);
    const distanceC = Math.abs(a + b - 2 * c);
    raw[i] += distanceA <= distanceB && distanceA <= distanceC ? a : distanceB <= distanceC ? b : c;
  }
}
