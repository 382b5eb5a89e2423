import type { Tensor } from '../autograd/tensor.ts';
import {
  expectBoolean,
  expectFinite,
  expectIntegerList,
  expectThat,
  normalizeAxis,
  readOptions,
} from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import {
  type AxisResizing,
  NEAREST_ROUNDINGS,
  type NearestRounding,
  RESIZE_COORDINATES,
  RESIZE_MODES,
  type ResizeCoordinates,
  type ResizeMode,
} from './resizing.ts';

/** To which size, and how, `interpolate` takes images. */
export interface InterpolateOptions {
  /** New lengths of the axes, or one for all. */
  readonly size?: number | readonly number[];
  /**
   * New lengths as multiples of the old ones, cut off to whole numbers. Beside `size` it only says how
   * far output positions lie apart. Without, as in PyTorch, `'linear'` leaves an axis whose length stays
   * as it is.
   */
  readonly scale?: number | readonly number[];
  /** `'nearest'` (default), `'linear'` (bilinear for images) or `'cubic'`. */
  readonly mode?: ResizeMode;
  /** Which input position an output position is; `'half-pixel'`, for nearest `'asymmetric'`, by default. */
  readonly coordinates?: ResizeCoordinates;
  /** How a position becomes that of the nearest element; `'floor'` by default. */
  readonly nearestRounding?: NearestRounding;
  /** a of the cubic weights; −0.75 by default, −0.5 with `antialias`. */
  readonly cubicCoefficient?: number;
  /** Whether outputs of a smaller image weigh all elements that they cover; false by default. */
  readonly antialias?: boolean;
  /** Whether elements beyond the edge count nothing, not as the edge; as `antialias` by default. */
  readonly excludeOutside?: boolean;
  /** First and last position of each axis as shares of it, for `'crop-and-resize'`. */
  readonly region?: readonly (readonly [number, number])[];
  /** What outputs are whose position in the region is outside of the image; 0 by default. */
  readonly extrapolationValue?: number;
  /** The axes that are resized, in the order of the other lists; by default all from the third on. */
  readonly axes?: readonly number[];
}

const OP = 'interpolate';
const OPTIONS = [
  'size',
  'scale',
  'mode',
  'coordinates',
  'nearestRounding',
  'cubicCoefficient',
  'antialias',
  'excludeOutside',
  'region',
  'extrapolationValue',
  'axes',
] as const;

function expectOneOf(op: string, name: string, value: unknown, known: readonly string[]): void {
  const list = known.map((one) => `'${one}'`).join(', ');
  expectThat(known.includes(value as string), op, name, `one of ${list}`, value);
}

/** Throws a `ValueError` unless it is a number, or a list of them, that an axis can be taken to or scaled by. */
function expectLengths(op: string, name: 'size' | 'scale', value: unknown): void {
  const list: unknown = typeof value === 'number' ? [value] : value;
  expectThat(Array.isArray(list), op, name, 'a number, or a list of one for each axis', value);
  const [isRight, rule] =
    name === 'size'
      ? [(one: unknown) => Number.isInteger(one) && Number(one) >= 1, 'integers ≥ 1']
      : [(one: unknown) => Number.isFinite(one) && Number(one) > 0, 'finite numbers > 0'];
  // Array.from, because `every` passes over the holes of a sparse list.
  expectThat(Array.from(list as unknown[]).every(isRight), op, name, rule, value);
}

/**
 * The options of `interpolate` for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every image
 */
export function readInterpolate(op: string, options: InterpolateOptions) {
  const given = readOptions(op, options, OPTIONS);
  const { size, scale, mode = 'nearest', antialias = false, region, axes } = given;
  const { coordinates = mode === 'nearest' ? 'asymmetric' : 'half-pixel' } = given;
  const { nearestRounding = 'floor', excludeOutside = antialias, extrapolationValue = 0 } = given;
  const { cubicCoefficient = antialias ? -0.5 : -0.75 } = given;
  expectOneOf(op, 'mode', mode, RESIZE_MODES);
  expectOneOf(op, 'coordinates', coordinates, RESIZE_COORDINATES);
  expectOneOf(op, 'nearestRounding', nearestRounding, NEAREST_ROUNDINGS);
  expectFinite(op, 'cubicCoefficient', cubicCoefficient);
  expectBoolean(op, 'antialias', antialias);
  expectBoolean(op, 'excludeOutside', excludeOutside);
  const suits = !antialias || mode !== 'nearest';
  expectThat(suits, op, 'antialias', "false for mode 'nearest'", antialias);
  const isNumber = typeof extrapolationValue === 'number';
  expectThat(isNumber, op, 'extrapolationValue', 'a number', extrapolationValue);
  const hasRegion = region !== undefined;
  const isWanted = hasRegion === (coordinates === 'crop-and-resize');
  expectThat(isWanted, op, 'region', "given for 'crop-and-resize' and nothing else", region);
  const isSized = size !== undefined || scale !== undefined;
  expectThat(isSized, op, 'size or scale', 'given', undefined);
  if (size !== undefined) expectLengths(op, 'size', size);
  if (scale !== undefined) expectLengths(op, 'scale', scale);
  if (axes !== undefined) expectIntegerList(op, 'axes', axes);
  const choices = {
    mode,
    coordinates,
    nearestRounding,
    cubicCoefficient,
    antialias,
    excludeOutside,
  };
  return { size, scale, region, axes, extrapolationValue, choices };
}

function axesOf(x: Tensor, axes: readonly number[] | undefined): number[] {
  if (axes === undefined) {
    if (x.rank >= 3) return x.shape.map((_, axis) => axis).slice(2);
    throw shapeError(OP, 'x must have at least 3 axes [N, C, d…], or `axes` say which to resize', {
      x,
    });
  }
  const normalized = axes.map((axis) => normalizeAxis(OP, axis, x.shape));
  if (new Set(normalized).size === axes.length) return normalized;
  throw shapeError(OP, `axes ${formatShape(axes)} name an axis twice`, { x });
}

/** One number for each axis. */
function forAxes(
  name: 'size' | 'scale',
  value: number | readonly number[] | undefined,
  count: number,
): readonly number[] | null {
  if (value === undefined) return null;
  const list = typeof value === 'number' ? new Array<number>(count).fill(value) : value;
  const isList = Array.isArray(list) && list.length === count;
  expectThat(isList, OP, name, `a number, or a list of ${count}, one for each axis`, value);
  return list;
}

function expectRegion(region: unknown, count: number): void {
  if (region === undefined) return;
  const isRight =
    Array.isArray(region) &&
    region.length === count &&
    Array.from(region).every(
      (one) => Array.isArray(one) && one.length === 2 && Array.from(one).every(Number.isFinite),
    );
  expectThat(isRight, OP, 'region', `a list of ${count} pairs [start, end]`, region);
}

/** How each axis is resized, in the order of the axes. */
function readResizings(
  x: Tensor,
  axes: readonly number[],
  { region, choices, ...lengths }: ReturnType<typeof readInterpolate>,
): AxisResizing[] {
  expectRegion(region, axes.length);
  const { mode, antialias } = choices;
  const size = forAxes('size', lengths.size, axes.length);
  const scale = forAxes('scale', lengths.scale, axes.length);
  return axes.map((axis, i): AxisResizing => {
    const length = x.shape[axis];
    const factor = scale?.[i] ?? null;
    const outLength = size?.[i] ?? Math.floor(length * (factor as number)); // One of them is there.
    if (length === 0 || outLength < 1) {
      const by = factor === null ? '' : `, scaled by ${factor},`;
      throw shapeError(OP, `axis ${axis} of length ${length}${by} leaves nothing`, { x });
    }
    // Outputs would weigh more places than there are elements, all but a few beyond the edge.
    const isWide = antialias && length * (factor ?? 1) < 0.5;
    expectThat(!isWide, OP, 'scale', `≥ 1 / (2 · ${length}) with antialias`, factor);
    // PyTorch leaves such an axis as it is, however much of its scaled length was cut off.
    const stays = size === null && mode === 'linear' && !antialias && outLength === length;
    return {
      length,
      outLength,
      scale: stays ? null : factor,
      region: region?.[i] ?? null,
      ...choices,
    };
  });
}

/**
 * What is done to which axes.
 *
 * @throws ValueError and ShapeError as `interpolate`
 */
export function readInterpolation(x: Tensor, options: InterpolateOptions) {
  const read = readInterpolate(OP, options);
  const axes = axesOf(x, read.axes);
  const { extrapolationValue } = read;
  return { axes, resizings: readResizings(x, axes, read), extrapolationValue };
}
