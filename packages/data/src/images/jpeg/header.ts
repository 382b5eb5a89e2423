import { DataError } from '../../core/errors.ts';
import { Refusal } from '../refusal.ts';

/** What the segments of a JPEG say about it. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for colours, 4 for those of printers. */
  readonly components: number;
  /** Whether the colours are luminance and differences, and not red, green and blue themselves. */
  readonly isYcc: boolean;
}

const MARKER = {
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DHT: 0xc4,
  JPG: 0xc8,
  DAC: 0xcc,
  APP0: 0xe0,
  APP14: 0xee,
} as const;

/** Frames, by their marker's lower byte, that are not of 8-bit Huffman-coded cosines. */
const OTHER_FRAMES: Readonly<Record<number, string>> = {
  195: 'lossless',
  197: 'hierarchical',
  198: 'hierarchical',
  199: 'hierarchical',
  201: 'arithmetic-coded',
  202: 'arithmetic-coded',
  203: 'lossless and arithmetic-coded',
  205: 'hierarchical and arithmetic-coded',
  206: 'hierarchical and arithmetic-coded',
  207: 'hierarchical and arithmetic-coded',
};

/** Encoders write about ten; each costs a pass over the picture, however short it is. */
const MOST_SCANS = 100;

interface Frame extends Omit<JpegHeader, 'isYcc'> {
  /** The names of the colours, a letter each. */
  readonly ids: string;
  /** Blocks of 8 × 8, of all colours together. */
  readonly blocks: number;
}

interface Segment {
  readonly marker: number;
  readonly data: Uint8Array;
}

/**
 * Walks through all segments of a JPEG, without decoding.
 *
 * @throws DataError if it is cut or no JPEG; Refusal if it is of a kind that is not read
 * @see ITU-T T.81, annex B; JFIF 1.02; Adobe technical note 5116 for its marker
 */
export function readHeader(bytes: Uint8Array): JpegHeader {
  let frame: Frame | null = null;
  let isJfif = false;
  let adobeTransform: number | null = null;
  let scans = 0;
  for (const { marker, data } of readSegments(bytes)) {
    if (isFrame(marker)) {
      if (frame !== null) throw new DataError('it has two frames');
      frame = parseFrame(marker, data);
    } else if (marker === MARKER.APP0 && startsWith(data, 'JFIF\0')) {
      isJfif = true;
    } else if (marker === MARKER.APP14 && startsWith(data, 'Adobe') && data.length >= 12) {
      adobeTransform = data[11];
    } else if (marker === MARKER.SOS) {
      if (frame === null) throw new DataError('its data comes before its size');
      if (++scans > MOST_SCANS) throw new DataError(`it has over ${MOST_SCANS} scans`);
    }
  }
  if (frame === null || scans === 0) throw new DataError('it has no data');
  const { width, height, components, ids, blocks } = frame;
  // A block has one bit at least, so a short file cannot ask for the memory of a large picture.
  if (blocks > 8 * bytes.length) {
    throw new DataError(`its ${bytes.length} bytes are too few for ${width} × ${height} pixels`);
  }
  if (components === 4 && adobeTransform === null) {
    throw new Refusal('is a JPEG of four colours that it does not name; save it as RGB');
  }
  const isRgb = isJfif ? false : adobeTransform === null ? ids === 'RGB' : adobeTransform === 0;
  const isYcc = components === 4 ? adobeTransform !== 0 : !isRgb;
  return { width, height, components, isYcc };
}

function isFrame(marker: number): boolean {
  const isOther = marker === MARKER.DHT || marker === MARKER.JPG || marker === MARKER.DAC;
  return marker >= 0xc0 && marker <= 0xcf && !isOther;
}

function startsWith(data: Uint8Array, text: string): boolean {
  return [...text].every((letter, at) => data[at] === letter.charCodeAt(0));
}

function parseFrame(marker: number, data: Uint8Array): Frame {
  const other = OTHER_FRAMES[marker];
  if (other !== undefined) {
    throw new Refusal(`is a JPEG that is ${other}, which is not read; save it as an ordinary one`);
  }
  const [precision, high, low, left, right, components] = data;
  if (data.length < 6 || data.length !== 6 + 3 * components) {
    throw new DataError('its frame has a wrong length');
  }
  if (precision !== 8) {
    throw new Refusal(`is a JPEG of ${precision} bits, of which 8 are read; save it with 8`);
  }
  const height = 256 * high + low;
  const width = 256 * left + right;
  if (width === 0 || height === 0) throw new DataError(`it has ${width} × ${height} pixels`);
  if (components !== 1 && components !== 3 && components !== 4) {
    throw new DataError(`it has ${components} colours instead of 1, 3 or 4`);
  }
  let ids = '';
  const factors: { readonly horizontal: number; readonly vertical: number }[] = [];
  for (let at = 6; at < data.length; at += 3) {
    ids += String.fromCharCode(data[at]);
    const [horizontal, vertical] = [data[at + 1] >> 4, data[at + 1] & 15];
    if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) {
      throw new DataError(
        `it has sampling factors ${horizontal} and ${vertical} instead of 1 to 4`,
      );
    }
    factors.push({ horizontal, vertical });
  }
  if (new Set(ids).size !== components) throw new DataError('it has one colour twice');
  const mostX = factors.reduce((most, { horizontal }) => Math.max(most, horizontal), 1);
  const mostY = factors.reduce((most, { vertical }) => Math.max(most, vertical), 1);
  const blocks = factors.reduce(
    (sum, { horizontal, vertical }) =>
      sum +
      Math.ceil((width * horizontal) / mostX / 8) * Math.ceil((height * vertical) / mostY / 8),
    0,
  );
  return { width, height, components, ids, blocks };
}

/** The segments up to the end-of-image marker, without the coded data that follows scans. */
function* readSegments(bytes: Uint8Array): IterableIterator<Segment> {
  for (let at = 2; ; ) {
    const found = nextMarker(bytes, at);
    const marker = bytes[found];
    if (marker === MARKER.EOI) return;
    at = found + 1;
    if (marker === MARKER.SOI) throw new DataError('a second picture begins inside of it');
    const length = 256 * bytes[at] + bytes[at + 1];
    if (!(length >= 2 && at + length <= bytes.length)) throw cut();
    yield { marker, data: bytes.subarray(at + 2, at + length) };
    at += length;
  }
}

/** Where the byte after the next 0xff is that is neither filling nor part of coded data. */
function nextMarker(bytes: Uint8Array, start: number): number {
  for (let at = start; ; at++) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) throw cut();
    const next = bytes[at + 1];
    const isRestart = next >= 0xd0 && next <= 0xd7;
    if (next !== 0 && next !== 0xff && next !== 1 && !isRestart) return at + 1;
  }
}

function cut(): DataError {
  return new DataError('it is cut: its end-of-image marker is missing');
}
