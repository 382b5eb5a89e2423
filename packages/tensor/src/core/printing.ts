import type { NdArray } from './ndarray.ts';
import { stridesOf } from './shape.ts';

/** Elements as nested arrays, one level an axis. Booleans stay booleans. */
export type NestedArray = number | boolean | NestedArray[];

/** Axes longer than this are cut to their edges, once the whole has more than `MAX_ELEMENTS`. */
const EDGE = 3;
const MAX_ELEMENTS = 1000;
const DECIMALS = 4;

export function nestedArray(array: NdArray): NestedArray {
  const { shape, numbers: data } = array;
  const strides = stridesOf(shape);
  const build = (axis: number, start: number): NestedArray => {
    if (axis === shape.length) return array.dtype === 'bool' ? data[start] !== 0 : data[start];
    return Array.from({ length: shape[axis] }, (_, i) =>
      build(axis + 1, start + i * strides[axis]),
    );
  };
  return build(0, 0);
}

/** How to write every shown element alike. */
function numberFormat(values: readonly number[], isFloat: boolean): (value: number) => string {
  if (!isFloat) return String;
  const magnitudes = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  const largest = magnitudes.reduce((most, v) => Math.max(most, v), 0);
  const smallest = magnitudes.reduce((least, v) => Math.min(least, v), Number.POSITIVE_INFINITY);
  const nonFinite = (value: number): string | null =>
    Number.isFinite(value) ? null : String(value).replace('Infinity', 'inf').replace('NaN', 'nan');
  if (largest >= 1e8 || smallest < 10 ** -DECIMALS || largest / smallest > 1e8) {
    return (value) => nonFinite(value) ?? value.toExponential(DECIMALS);
  }
  // As few decimals as show every element as exactly as DECIMALS would.
  let decimals = 0;
  while (
    decimals < DECIMALS &&
    magnitudes.some((v) => Number(v.toFixed(decimals)) !== Number(v.toFixed(DECIMALS)))
  ) {
    decimals++;
  }
  return (value) => nonFinite(value) ?? value.toFixed(Math.max(1, decimals));
}

/** Text of an array; lines after the first are indented by `indent` to stand under it. */
export function formatArray(array: NdArray, indent: number): string {
  const { shape, numbers: data, dtype } = array;
  if (data.length === 0) return '[]';
  const strides = stridesOf(shape);
  const cut = data.length > MAX_ELEMENTS;
  const shownIndices = (length: number): (number | null)[] => {
    const all = Array.from({ length }, (_, i) => i);
    if (!cut || length <= 2 * EDGE) return all;
    return [...all.slice(0, EDGE), null, ...all.slice(-EDGE)];
  };

  const shown: number[] = [];
  const collect = (axis: number, start: number): void => {
    if (axis === shape.length) {
      shown.push(data[start]);
      return;
    }
    for (const i of shownIndices(shape[axis])) {
      if (i !== null) collect(axis + 1, start + i * strides[axis]);
    }
  };
  collect(0, 0);

  const format =
    dtype === 'bool'
      ? (value: number) => String(value !== 0)
      : numberFormat(shown, dtype.includes('float'));
  const width = shown.reduce((widest, value) => Math.max(widest, format(value).length), 0);

  const write = (axis: number, start: number): string => {
    if (axis === shape.length) return format(data[start]).padStart(width);
    const parts = shownIndices(shape[axis]).map((i) =>
      i === null ? '...' : write(axis + 1, start + i * strides[axis]),
    );
    const axesInside = shape.length - axis - 1;
    const separator =
      axesInside === 0 ? ', ' : `,${'\n'.repeat(axesInside)}${' '.repeat(indent + axis + 1)}`;
    return `[${parts.join(separator)}]`;
  };
  return write(0, 0).trimStart();
}
