import { BandMatrix, type BandRow } from '../core/band-matrix.ts';

/** The matrix that takes an axis to another length. */

export const RESIZE_MODES = ['nearest', 'linear', 'cubic'] as const;
/** What outputs are made of: one element, or those around by linear or cubic weights. */
export type ResizeMode = (typeof RESIZE_MODES)[number];

export const RESIZE_COORDINATES = [
  'half-pixel',
  'half-pixel-symmetric',
  'pytorch-half-pixel',
  'align-corners',
  'asymmetric',
  'crop-and-resize',
] as const;
/**
 * Which position p of the input output i is: (i + ½) / scale − ½; the same with both centers at one
 * place; the same, but 0 for an only output; i · (d − 1) / (d' − 1); i / scale; or
 * start · (d − 1) + i · (end − start) · (d − 1) / (d' − 1).
 */
export type ResizeCoordinates = (typeof RESIZE_COORDINATES)[number];

export const NEAREST_ROUNDINGS = [
  'floor',
  'ceil',
  'round-prefer-floor',
  'round-prefer-ceil',
] as const;
/** Which element is the nearest to a position between two. */
export type NearestRounding = (typeof NEAREST_ROUNDINGS)[number];

/** How one axis is resized. */
export interface AxisResizing {
  readonly length: number;
  readonly outLength: number;
  /** Output positions for each input position; null for the quotient of the lengths. */
  readonly scale: number | null;
  /** First and last position to be read, as shares of the axis; only for 'crop-and-resize'. */
  readonly region: readonly [number, number] | null;
  readonly mode: ResizeMode;
  readonly coordinates: ResizeCoordinates;
  readonly nearestRounding: NearestRounding;
  readonly cubicCoefficient: number;
  readonly antialias: boolean;
  readonly excludeOutside: boolean;
}

/**
 * Input positions for an output position. For the nearest element in float32, as PyTorch: where it
 * falls on the border between two elements, the rounding decides.
 */
function scaled(position: number, { mode, length, outLength, scale }: AxisResizing): number {
  const [numerator, denominator] = scale === null ? [length, outLength] : [1, scale];
  if (mode !== 'nearest') return (position * numerator) / denominator;
  return Math.fround(position * Math.fround(numerator / denominator));
}

/** The input position of output `i`, between elements. */
function positionOf(i: number, resizing: AxisResizing): number {
  const { length, outLength, scale, region, coordinates } = resizing;
  switch (coordinates) {
    case 'half-pixel':
      return scaled(i + 0.5, resizing) - 0.5;
    case 'half-pixel-symmetric': {
      // Both centers meet, also where the scaled length was cut off.
      const uncut = scale === null ? outLength : scale * length;
      return (length / 2) * (1 - outLength / uncut) + scaled(i + 0.5, resizing) - 0.5;
    }
    case 'pytorch-half-pixel':
      return outLength > 1 ? scaled(i + 0.5, resizing) - 0.5 : 0;
    case 'align-corners':
      return outLength > 1 ? (i * (length - 1)) / (outLength - 1) : 0;
    case 'asymmetric':
      return scaled(i, resizing);
    case 'crop-and-resize': {
      const [start, end] = region ?? [0, 1];
      if (outLength === 1) return ((start + end) / 2) * (length - 1);
      return start * (length - 1) + (i * (end - start) * (length - 1)) / (outLength - 1);
    }
    default:
      return coordinates satisfies never;
  }
}

const clamped = (value: number, least: number, most: number): number =>
  Math.min(Math.max(value, least), most);

function nearestTo(position: number, rounding: NearestRounding): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(position);
    case 'ceil':
      return Math.ceil(position);
    case 'round-prefer-floor':
      return Math.ceil(position - 0.5);
    case 'round-prefer-ceil':
      return Math.floor(position + 0.5);
    default:
      return rounding satisfies never;
  }
}

/** Weight of an element at a distance, 0 from `radius` on. */
interface Filter {
  readonly radius: number;
  readonly weightAt: (distance: number) => number;
}

const TRIANGLE: Filter = { radius: 1, weightAt: (distance) => 1 - distance };

/** Keys' cubic convolution with coefficient a. */
function cubic(a: number): Filter {
  return {
    radius: 2,
    weightAt: (d) =>
      d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a,
  };
}

/** The row without zeros at its ends. */
function trimmed(first: number, weights: readonly number[]): BandRow {
  let start = 0;
  let end = weights.length;
  while (weights[start] === 0) start++;
  while (weights[end - 1] === 0) end--;
  if (start === 0 && end === weights.length) return { first, weights };
  return { first: first + start, weights: weights.slice(start, end) };
}

/** What is read at a position. */
type Reader = (position: number) => BandRow;

function nearestReader({ length, nearestRounding }: AxisResizing): Reader {
  return (position) => {
    const first = clamped(nearestTo(position, nearestRounding), 0, length - 1);
    return { first, weights: [1] };
  };
}

/** Reads the elements around a position. */
function filterReader(resizing: AxisResizing, { radius, weightAt }: Filter): Reader {
  const { length, outLength, scale, antialias, excludeOutside } = resizing;
  const stretch = antialias ? Math.max(1, 1 / (scale ?? outLength / length)) : 1;
  const reach = radius * stretch;
  return (position) => {
    // Further out than that, all places in reach are beyond the edge.
    const center = clamped(position, -reach, length - 1 + reach);
    const start = Math.floor(center - reach) + 1;
    const end = Math.ceil(center + reach) - 1;
    const first = clamped(start, 0, length - 1);
    const weights: number[] = [];
    let total = 0;
    for (let place = start; place <= end; place++) {
      const element = clamped(place, 0, length - 1) - first;
      const counts = !excludeOutside || place === element + first;
      const weight = counts ? weightAt(Math.abs(place - center) / stretch) : 0;
      weights[element] = (weights[element] ?? 0) + weight;
      total += weight;
    }
    if (total === 0) return { first: center < 0 ? 0 : length - 1, weights: [1] };
    if (!antialias && !excludeOutside) return trimmed(first, weights);
    return trimmed(
      first,
      weights.map((weight) => weight / total),
    );
  };
}

function readerOf(resizing: AxisResizing): Reader {
  switch (resizing.mode) {
    case 'nearest':
      return nearestReader(resizing);
    case 'linear':
      return filterReader(resizing, TRIANGLE);
    case 'cubic':
      return filterReader(resizing, cubic(resizing.cubicCoefficient));
    default:
      return resizing.mode satisfies never;
  }
}

/**
 * The matrix [outLength, length] of a resizing. Rows of positions outside of the axis are empty when
 * cropping.
 */
export function resizingMatrix(resizing: AxisResizing): BandMatrix {
  const { length, outLength, coordinates } = resizing;
  const read = readerOf(resizing);
  const crops = coordinates === 'crop-and-resize';
  const rows = Array.from({ length: outLength }, (_, i) => {
    const position = positionOf(i, resizing);
    const isInside = position >= 0 && position <= length - 1;
    return crops && !isInside ? { first: 0, weights: [] } : read(position);
  });
  return new BandMatrix(`resizing ${JSON.stringify(resizing)}`, length, rows);
}
