import { createRequire } from 'node:module';
import { HWC2CHW, type Image } from '@firelight/data';
import { FirelightError } from '@firelight/tensor';

/** One picture of a grid with its title. */
export interface GridCell {
  /** Bytes 0 to 255, or floats 0 to 1, which are cut off beyond; one channel or three. */
  readonly image: Image;
  readonly title: string;
  /** Blue for right, red with a thick frame for wrong (seen without telling colours), else black. */
  readonly verdict?: 'right' | 'wrong';
}

const FONT = 'DejaVu Sans';
const COLOURS = { right: '#0645d6', wrong: '#c8102e', none: '#000000' } as const;
/** Pixels of a cell's picture on the sheet, about. */
const PICTURE_SIZE = 96;
const TITLE_HEIGHT = 18;
const GAP = 8;
const FRAME = 3;

/** The canvas, a native library that only the pictures need. */
async function loadCanvas() {
  try {
    const canvas = await import('@napi-rs/canvas');
    const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
    canvas.GlobalFonts.registerFromPath(font, FONT);
    return canvas;
  } catch (error) {
    throw new FirelightError(
      `pictures need the package @napi-rs/canvas, which cannot be loaded here ` +
        `(${(error as Error).message.split('\n')[0]}); run npm ci with optional dependencies`,
    );
  }
}

/** Red, green, blue and opacity of each pixel. */
function toRgba(image: Image): Uint8ClampedArray<ArrayBuffer> {
  const { data, height, width, channels } =
    image.layout === 'CHW' ? image : new HWC2CHW().apply(image);
  const plane = height * width;
  const factor = data instanceof Uint8Array ? 1 : 255;
  const rgba = new Uint8ClampedArray(plane * 4).fill(255);
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let c = 0; c < 3; c++) {
      rgba[pixel * 4 + c] = data[(channels === 1 ? 0 : c * plane) + pixel] * factor;
    }
  }
  return rgba;
}

/** A PNG with pictures in rows, each enlarged by a whole factor, under their titles. */
export async function drawGrid(
  cells: readonly GridCell[],
  { columns = 8 }: { readonly columns?: number } = {},
): Promise<Uint8Array> {
  const { createCanvas, ImageData } = await loadCanvas();
  const side = cells.reduce((most, { image }) => Math.max(most, image.height, image.width), 1);
  const scale = Math.max(1, Math.round(PICTURE_SIZE / side));
  const size = side * scale;
  const [cellWidth, cellHeight] = [size + GAP, size + TITLE_HEIGHT + GAP];
  const rows = Math.ceil(cells.length / columns);
  const canvas = createCanvas(
    Math.min(columns, cells.length) * cellWidth + GAP,
    rows * cellHeight + GAP,
  );
  const context = canvas.getContext('2d');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.textAlign = 'center';
  cells.forEach(({ image, title, verdict }, i) => {
    const left = GAP + (i % columns) * cellWidth;
    const top = GAP + Math.floor(i / columns) * cellHeight + TITLE_HEIGHT;
    const small = createCanvas(image.width, image.height);
    small
      .getContext('2d')
      .putImageData(new ImageData(toRgba(image), image.width, image.height), 0, 0);
    const [width, height] = [image.width * scale, image.height * scale];
    context.drawImage(small, left, top, width, height);
    const colour = COLOURS[verdict ?? 'none'];
    if (verdict === 'wrong') {
      context.strokeStyle = colour;
      context.lineWidth = FRAME;
      context.strokeRect(left + FRAME / 2, top + FRAME / 2, width - FRAME, height - FRAME);
    }
    context.fillStyle = colour;
    const text = verdict === undefined ? title : `${verdict === 'right' ? '✓' : '✗'} ${title}`;
    let pixels = 12;
    do {
      context.font = `${pixels}px "${FONT}"`;
      pixels -= 0.5;
    } while (pixels > 6 && context.measureText(text).width > size);
    context.fillText(text, left + size / 2, top - 5, size);
  });
  return canvas.encode('png');
}
