import { type Conv2dWindow, spanOf } from '../../../../core/window.ts';
import type { Address } from '../../runtime/address.ts';
import { SCRATCH_BYTES } from '../../runtime/runtime.ts';
import { keptTable } from '../../runtime/tables.ts';
import type { FieldValues } from '../../runtime/task.ts';
import { phasesOf } from '../images/phases.ts';
import type { PIECES } from './pieces.ts';
import { LEAST_COLUMNS, SIDE } from './three-rows.ts';

/**
 * Where the pixels of a plane lie in a thread's memory, and how far from an output each tap is there.
 * As outputs lie at the same pitch as inputs, those of all rows are one long row.
 */

/** Of parts of the work there should be as many, for all threads. */
const ENOUGH_UNITS = 32;

/** Bytes of the plane's part and of its outputs that are computed at once: both stay in the first cache. */
const STRIP_BYTES = 24 * 2 ** 10;
/** Left free at the end of a thread's memory, for vectors that reach over. */
const SLACK = 4096;

interface Size {
  readonly height: number;
  readonly width: number;
}

/** How many planes there are to compute. */
interface Planes {
  readonly images: number;
  readonly channels: number;
}

/** The plane of outputs cut into strips of rows. */
interface Strips {
  readonly rows: number;
  readonly columns: number;
  readonly ofStrip: number;
  readonly count: number;
  /** Images whose planes are computed at once, where a strip is a whole plane. */
  readonly images: number;
}

/** Everything but the planes themselves. */
export interface Geometry {
  readonly pieces: FieldValues<typeof PIECES>;
  readonly strips: Strips;
  /** Bytes of all pieces of the planes that an output comes from. */
  readonly bytes: number;
  readonly taps: Address;
  readonly phases: number;
  /** Whether an output is of 3 × 3 neighbours in one plane, and all outputs are one phase. */
  readonly isSquare: boolean;
}

/** Words of a phase in the table, which begins with the phases; their taps follow. */
export const PHASE_WORDS = 8;
/** A tap is the bytes from an output to its pixel, and from the first weight to its own. */
export const TAP_WORDS = 2;
/** Taps whose sums are held in registers for the weights' gradient. */
export const TAPS = 9;
/** Lanes of their sums in float32, on every machine, as the order of a sum depends on it. */
export const PRODUCT_LANES = 8;
export const PRODUCTS_BYTES = TAPS * PRODUCT_LANES * 4;
/** Bytes of such a sum in the end: four float64, one for each lane of float32. */
export const SUM_BYTES = 32;

interface PhaseOfTable {
  readonly taps: readonly (readonly [offset: number, weight: number])[];
  /** Rows of outputs that are taken: [first, end), and to which row the one numbered 0 would go. */
  readonly rows: readonly [first: number, end: number, start: number];
  /** Their first column, how many, and where it goes. */
  readonly columns: readonly [first: number, count: number, start: number];
}

function tableOf(key: string, build: () => readonly PhaseOfTable[]): Address {
  return keptTable(key, () => {
    const phases = build();
    let next = phases.length * PHASE_WORDS * 4;
    const words: number[] = [];
    for (const { taps, rows, columns } of phases) {
      const [firstRow, endRow, startRow] = rows;
      const [firstColumn, count, startColumn] = columns;
      words.push(next, taps.length, firstRow, endRow, startRow, firstColumn, count, startColumn);
      next += taps.length * TAP_WORDS * 4;
    }
    for (const { taps } of phases) for (const [offset, weight] of taps) words.push(offset, weight);
    // The weights' gradient takes TAPS at a time; what is none reads the first pixel.
    for (let i = 0; i < TAPS * TAP_WORDS; i++) words.push(0);
    return Int32Array.from(words);
  });
}

/**
 * Strips of as many rows as fit, or as many whole planes.
 *
 * @param planes.images of which there are so many planes in all
 * @param of.perRow elements of a row of inputs and outputs
 * @param of.halo rows that neighbouring strips share
 * @param of.slack bytes for other things
 * @returns null if not even one fits into a thread's memory
 */
function stripsOf(
  { rows, columns }: { rows: number; columns: number },
  planes: Planes,
  { perRow, halo, slack }: { perRow: number; halo: number; slack: number },
): Strips | null {
  const fitting = Math.floor(STRIP_BYTES / (perRow * 4)) - halo;
  const most = Math.min(rows, Math.max(fitting, halo + 1, 4));
  const count = Math.ceil(rows / most);
  const ofStrip = Math.ceil(rows / count);
  if ((ofStrip + halo + 1) * perRow * 4 + slack > SCRATCH_BYTES) return null;
  const together = Math.floor(STRIP_BYTES / ((rows + halo) * perRow * 4));
  const dealtOut = Math.floor((planes.images * planes.channels) / ENOUGH_UNITS);
  const images = count > 1 ? 1 : Math.max(1, Math.min(together, dealtOut, planes.images));
  return { rows, columns, ofStrip, count, images };
}

/** Whether all taps of a pixel are the 3 × 3 around it; see `three-rows.ts`. */
function isSquareOf(window: Conv2dWindow, columns: number): boolean {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = window;
  const ones = [strideHeight, strideWidth, window.dilationHeight, window.dilationWidth];
  const isSquare = kernelHeight === SIDE && kernelWidth === SIDE;
  return isSquare && ones.every((one) => one === 1) && columns >= LEAST_COLUMNS;
}

/** The window's key in tables' names. */
function keyOf(name: string, window: Conv2dWindow, ...sizes: readonly (Size | number)[]): string {
  return `depthwise ${name} ${JSON.stringify([window, ...sizes])}`;
}

/** Columns filled up to whole vectors, the widest of any machine. */
export function roundedUp(columns: number): number {
  return Math.ceil(columns / LEAST_COLUMNS) * LEAST_COLUMNS;
}

/** Outputs from inputs, whose pixels are split by the stride. */
export function forwardGeometry(window: Conv2dWindow, planes: Planes): Geometry | null {
  return geometryOf('forward', window, planes, window.outWidth);
}

/** Most bytes of the sums of a channel, whose taps are filled up to whole groups. */
const bytesOfSums = (taps: number): number => (taps + TAPS) * SUM_BYTES;

/** Channels whose weights' gradients are summed at once, at most. */
export function mostChannels(taps: number): number {
  return Math.max(1, Math.floor(SLACK / bytesOfSums(taps)));
}

/** The weights' gradient reads the same pixels as the outputs; whole vectors of them for each row. */
export function weightGradGeometry(window: Conv2dWindow, planes: Planes): Geometry | null {
  const isSquare = isSquareOf(window, window.outWidth);
  return isSquare
    ? geometryOf('weight gradient', window, planes, roundedUp(window.outWidth))
    : forwardGeometry(window, planes);
}

function geometryOf(
  name: string,
  window: Conv2dWindow,
  planes: Planes,
  width: number,
): Geometry | null {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padding } = window;
  const { dilationHeight, dilationWidth, outHeight: rows, outWidth: columns } = window;
  const halo = Math.floor((spanOf(kernelHeight, dilationHeight) - 1) / strideHeight);
  const pitch = width + Math.floor((spanOf(kernelWidth, dilationWidth) - 1) / strideWidth);
  // The pieces, the outputs, and which of them are pixels.
  const split = strideHeight * strideWidth;
  const tapCount = kernelHeight * kernelWidth;
  const slack = SLACK + mostChannels(tapCount) * bytesOfSums(tapCount) + PRODUCTS_BYTES;
  const strips = stripsOf({ rows, columns }, planes, { perRow: (split + 2) * pitch, halo, slack });
  if (strips === null) return null;
  const rowsOfPiece = strips.ofStrip + halo;
  const build = (): PhaseOfTable => {
    const taps: [number, number][] = [];
    for (let p = 0; p < kernelHeight; p++) {
      const row = p * dilationHeight;
      for (let q = 0; q < kernelWidth; q++) {
        const column = q * dilationWidth;
        const piece = (row % strideHeight) * strideWidth + (column % strideWidth);
        const line = piece * strips.images * rowsOfPiece + Math.floor(row / strideHeight);
        const offset = line * pitch + Math.floor(column / strideWidth);
        taps.push([offset * 4, (p * kernelWidth + q) * 4]);
      }
    }
    return { taps, rows: [0, rows, 0], columns: [0, columns, 0] };
  };
  return {
    pieces: {
      top: padding.top,
      left: padding.left,
      images: strips.images,
      rows: rowsOfPiece,
      pitch,
      strideHeight,
      strideWidth,
    },
    strips,
    bytes: split * strips.images * rowsOfPiece * pitch * 4,
    taps: tableOf(keyOf(name, window, strips.images), () => [build()]),
    phases: 1,
    isSquare: isSquareOf(window, columns),
  };
}

/** All remainders of one axis together: see `phases.ts`. */
function allOf(axes: ReturnType<typeof phasesOf>['phases'][number]['rows'][]) {
  let first = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let back = 0;
  for (const axis of axes) {
    if (axis.count === 0) continue;
    first = Math.min(first, axis.first);
    end = Math.max(end, axis.first + axis.count);
    for (const tap of axis.taps) back = Math.max(back, tap.back);
  }
  return { first, count: end - first, back };
}

/** The gradient by the input from that by the output: one phase for each remainder of the stride. */
export function inputGradGeometry(
  window: Conv2dWindow,
  {
    multiplier,
    gradOut,
    gradIn,
    planes,
  }: { multiplier: number; gradOut: Size; gradIn: Size; planes: Planes },
): Geometry | null {
  const { kernelHeight, kernelWidth, strideHeight } = window;
  const { phases } = phasesOf(window, gradOut, gradIn);
  const rows = allOf(phases.map((phase) => phase.rows));
  const columns = allOf(phases.map((phase) => phase.columns));
  const pitch = columns.count + columns.back;
  const size = { rows: rows.count, columns: columns.count };
  const strips = stripsOf(size, planes, {
    perRow: (multiplier + 1) * pitch,
    halo: rows.back,
    slack: SLACK,
  });
  if (strips === null) return null;
  const rowsOfPiece = strips.ofStrip + rows.back;
  const build = (phase: (typeof phases)[number]): PhaseOfTable => {
    const taps: [number, number][] = [];
    for (let channel = 0; channel < multiplier; channel++) {
      for (const row of phase.rows.taps) {
        const line = channel * strips.images * rowsOfPiece + rows.back - row.back;
        const kernelRow = channel * kernelHeight + row.kernel;
        for (const column of phase.columns.taps) {
          const offset = line * pitch + columns.back - column.back;
          taps.push([offset * 4, (kernelRow * kernelWidth + column.kernel) * 4]);
        }
      }
    }
    const firstRow = phase.rows.first - rows.first;
    const firstColumn = phase.columns.first - columns.first;
    return {
      taps,
      rows: [firstRow, firstRow + phase.rows.count, phase.rows.start - strideHeight * firstRow],
      columns: [firstColumn, phase.columns.count, phase.columns.start],
    };
  };
  const taken = phases.filter((phase) => phase.rows.count * phase.columns.count > 0);
  return {
    pieces: {
      top: rows.back - rows.first,
      left: columns.back - columns.first,
      images: strips.images,
      rows: rowsOfPiece,
      pitch,
      strideHeight: 1,
      strideWidth: 1,
    },
    strips,
    bytes: multiplier * strips.images * rowsOfPiece * pitch * 4,
    taps: tableOf(keyOf('gradient', window, gradIn, multiplier, strips.images), () =>
      taken.map(build),
    ),
    phases: taken.length,
    isSquare: isSquareOf(window, columns.count) && multiplier === 1,
  };
}
