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

function expectOneOf(name: string, value: unknown, known: readonly string[]): void {
  const list = known.map((one) => `'${one}'`).join(', ');
  expectThat(known.includes(value as string), OP, name, `one of ${list}`, value);
}

function axesOf(x: Tensor, axes: readonly number[] | undefined): number[] {
  if (axes === undefined) {
    if (x.rank >= 3) return x.shape.map((_, axis) => axis).slice(2);
    throw shapeError(OP, 'x must have at least 3 axes [N, C, d…], or `axes` say which to resize', {
      x,
    });
  }
  expectIntegerList(OP, 'axes', axes);
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
  if (name === 'size') expectIntegerList(OP, name, list, 1);
  const arePositive = Array.from(list).every((one) => Number.isFinite(one) && one > 0);
  expectThat(arePositive, OP, name, 'finite numbers > 0', value);
  return list;
}

function expectRegion(region: unknown, coordinates: ResizeCoordinates, count: number): void {
  const isGiven = region !== undefined;
  const crops = coordinates === 'crop-and-resize';
  expectThat(
    isGiven === crops,
    OP,
    'region',
    "given for 'crop-and-resize' and nothing else",
    region,
  );
  if (!isGiven) return;
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
  options: InterpolateOptions,
): AxisResizing[] {
  const { mode = 'nearest', antialias = false } = options;
  const { coordinates = mode === 'nearest' ? 'asymmetric' : 'half-pixel' } = options;
  const { nearestRounding = 'floor', excludeOutside = antialias, region } = options;
  const { cubicCoefficient = antialias ? -0.5 : -0.75 } = options;
  expectOneOf('mode', mode, RESIZE_MODES);
  expectOneOf('coordinates', coordinates, RESIZE_COORDINATES);
  expectOneOf('nearestRounding', nearestRounding, NEAREST_ROUNDINGS);
  expectFinite(OP, 'cubicCoefficient', cubicCoefficient);
  expectBoolean(OP, 'antialias', antialias);
  expectBoolean(OP, 'excludeOutside', excludeOutside);
  const suits = !antialias || mode !== 'nearest';
  expectThat(suits, OP, 'antialias', "false for mode 'nearest'", antialias);
  expectRegion(region, coordinates, axes.length);
  const size = forAxes('size', options.size, axes.length);
  const scale = forAxes('scale', options.scale, axes.length);
  expectThat(size !== null || scale !== null, OP, 'size or scale', 'given', undefined);
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
      mode,
      coordinates,
      nearestRounding,
      cubicCoefficient,
      antialias,
      excludeOutside,
    };
  });
}

/**
 * What is done to which axes.
 *
 * @throws ValueError and ShapeError as `interpolate`
 */
export function readInterpolation(x: Tensor, options: InterpolateOptions) {
  const { axes: given, extrapolationValue = 0, ...rest } = readOptions(OP, options, OPTIONS);
  const isNumber = typeof extrapolationValue === 'number';
  expectThat(isNumber, OP, 'extrapolationValue', 'a number', extrapolationValue);
  const axes = axesOf(x, given);
  return { axes, resizings: readResizings(x, axes, rest), extrapolationValue };
}
