import { latin1 } from '@firelight/tensor/formats';

/** A format of pictures that is known but not read. */
interface OtherFormat {
  readonly name: string;
  readonly extensions: readonly string[];
  /** Whether a file that begins with `start`, its bytes as Latin-1 text, is of the format. */
  readonly matches: (start: string) => boolean;
}

/** ISO media files: the brand after `ftyp` tells the format. */
const hasBrand =
  (...brands: readonly string[]) =>
  (start: string): boolean =>
    start.slice(4, 8) === 'ftyp' && brands.includes(start.slice(8, 12));

const beginsWith =
  (...texts: readonly string[]) =>
  (start: string): boolean =>
    texts.some((text) => start.startsWith(text));

const OTHER_FORMATS: readonly OtherFormat[] = [
  { name: 'GIF', extensions: ['gif'], matches: beginsWith('GIF87a', 'GIF89a') },
  {
    name: 'WebP',
    extensions: ['webp'],
    matches: (start) => start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP',
  },
  { name: 'BMP', extensions: ['bmp', 'dib'], matches: beginsWith('BM') },
  {
    name: 'TIFF',
    extensions: ['tif', 'tiff'],
    matches: beginsWith('II*\0', 'MM\0*', 'II+\0', 'MM\0+'),
  },
  { name: 'AVIF', extensions: ['avif'], matches: hasBrand('avif', 'avis') },
  {
    name: 'HEIC',
    extensions: ['heic', 'heif'],
    matches: hasBrand('heic', 'heix', 'hevc', 'heim', 'heis', 'mif1', 'msf1'),
  },
  {
    name: 'JPEG 2000',
    extensions: ['jp2', 'j2k'],
    matches: beginsWith('\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'),
  },
  {
    name: 'JPEG XL',
    extensions: ['jxl'],
    matches: beginsWith('\0\0\0\x0cJXL ', '\xff\x0a'),
  },
  { name: 'PNM', extensions: ['pbm', 'pgm', 'ppm'], matches: (start) => /^P[1-6]\s/.test(start) },
];

/** Bytes at the start of a file that tell its format. */
const START_BYTES = 16;

/** What a file is by its first bytes: a format that is read, the name of another, or null. */
export function formatOf(bytes: Uint8Array): 'png' | 'jpeg' | { readonly other: string } | null {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return 'png';
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'jpeg';
  const start = latin1(bytes.subarray(0, START_BYTES));
  const other = OTHER_FORMATS.find(({ matches }) => matches(start));
  return other === undefined ? null : { other: other.name };
}

const READ_EXTENSIONS: readonly string[] = ['png', 'jpg', 'jpeg'];

const OTHER_NAMES: ReadonlyMap<string, string> = new Map(
  OTHER_FORMATS.flatMap(({ name, extensions }) => extensions.map((extension) => [extension, name])),
);

/** What a file is by its name: a picture that is read, the name of another format, or null. */
export function formatOfName(name: string): 'read' | { readonly other: string } | null {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (READ_EXTENSIONS.includes(extension)) return 'read';
  const other = OTHER_NAMES.get(extension);
  return other === undefined ? null : { other };
}
