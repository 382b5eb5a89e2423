import { ValueError } from '@firelight/tensor';
import { type Image, type PixelData, zerosLike } from '../core/image.ts';
import { describeNumbers } from './interval.ts';

/** A part of an image; it may reach beyond the edges. */
export interface Crop {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** One number for both sides, or [height, width]. */
export type SideOption = number | readonly [height: number, width: number];

/**
 * Both sides of a `size` option.
 *
 * @throws ValueError unless they are integers ≥ 1
 */
export function toSides(op: string, size: SideOption): readonly [height: number, width: number] {
  const sides = typeof size === 'number' ? [size, size] : size;
  const isSide = (side: unknown): boolean => Number.isInteger(side) && (side as number) >= 1;
  if (!Array.isArray(sides) || sides.length !== 2 || !sides.every(isSide)) {
    throw new ValueError(
      `${op}: size must be an integer ≥ 1 or two of them, got ${describeNumbers(sides)}`,
    );
  }
  return [sides[0], sides[1]];
}

/** What a window takes: rows of `width` pixels of `step` elements, in `planes` planes. */
interface Grid {
  readonly planes: number;
  readonly step: number;
  readonly height: number;
  readonly width: number;
}

/** The part of an image in either layout; what lies beyond the edges gets the value `fill`. */
export function takeCrop(image: Image, crop: Crop, fill: number): Image {
  const { channels, layout, data } = image;
  const { top, left, height, width } = crop;
  const isInterleaved = layout === 'HWC';
  const grid = { planes: isInterleaved ? 1 : channels, step: isInterleaved ? channels : 1 };
  const taken = zerosLike(data, height * width * channels);
  if (fill !== 0) taken.fill(fill);
  copyCrop(
    data,
    { ...grid, height: image.height, width: image.width },
    taken,
    { ...grid, height, width },
    { firstRow: top, firstColumn: left },
  );
  return { data: taken, height, width, channels, layout };
}

/** Copies the part of the window that is inside the source, row by row. */
function copyCrop(
  source: PixelData,
  from: Grid,
  target: PixelData,
  to: Grid,
  { firstRow, firstColumn }: { firstRow: number; firstColumn: number },
): void {
  const { step } = from;
  const left = Math.max(0, firstColumn);
  const length = (Math.min(from.width, firstColumn + to.width) - left) * step;
  if (length <= 0) return;
  for (let plane = 0; plane < from.planes; plane++) {
    const top = Math.max(0, firstRow);
    const bottom = Math.min(from.height, firstRow + to.height);
    for (let row = top; row < bottom; row++) {
      const at = ((plane * from.height + row) * from.width + left) * step;
      const into = ((plane * to.height + row - firstRow) * to.width + left - firstColumn) * step;
      for (let i = 0; i < length; i++) target[into + i] = source[at + i];
    }
  }
}
