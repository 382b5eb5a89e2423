import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createDeflate, deflateSync, inflateSync } from 'node:zlib';
import { DataError, decodeImage } from '@firelight/data';
import { ValueError } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { inflateStream } from '../../../packages/tensor/src/formats/inflate.ts';
import {
  chunksOf,
  encodePng,
  type HeaderFields,
  pngChunk,
  pngData,
  pngHeader,
  pngOf,
} from '../../helpers/png.ts';

interface PngCase {
  readonly name: string;
  readonly file: string;
  readonly shape: [number, number, number];
  readonly sha256: string;
}

const fixture = new URL('../../fixtures/pictures/png.json', import.meta.url);
const { cases, pil, opencv } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  cases: PngCase[];
  pil: string;
  opencv: string;
};

describe(`PNG is read as by PIL ${pil}, 16-bit grey as by OpenCV ${opencv}`, () => {
  test.each(cases)('$name', async ({ file, shape, sha256 }) => {
    const { data, height, width, channels } = await decodeImage(Buffer.from(file, 'base64'));
    expect([height, width, channels]).toEqual(shape);
    expect(createHash('sha256').update(data).digest('hex')).toBe(sha256);
  });
});

const twoByTwo = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
const header = (fields: Partial<HeaderFields> = {}) =>
  pngHeader({ width: 2, height: 2, ...fields });
const sound = pngOf(header(), pngData(twoByTwo));
const zlib = deflateSync(twoByTwo);

/** `bytes` with one of them changed. */
function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at < 0 ? copy.length + at : at] ^= 1;
  return copy;
}

const palette = (colors: number): Uint8Array => pngChunk('PLTE', new Uint8Array(3 * colors));
const indexed = (rows: number[]) => pngData(Uint8Array.from(rows));
const asPalette = header({ colorType: 3, depth: 4 });

const damaged: [name: string, file: Uint8Array, reason: RegExp][] = [
  ['a cut header', sound.subarray(0, 20), /it is cut: chunk IHDR needs 13 bytes, only 0 are/],
  ['cut data', sound.subarray(0, 50), /it is cut: chunk IDAT needs \d+ bytes, only \d+ are left/],
  ['no IEND', sound.subarray(0, -12), /it is cut: its last chunk, IEND, is missing/],
  ['a wrong signature', changed(sound, 5), /its first eight bytes are not those of a PNG/],
  ['a wrong checksum of data', changed(sound, 45), /checksum of its chunk IDAT is wrong/],
  ['a wrong checksum of IEND', changed(sound, -1), /checksum of its chunk IEND is wrong/],
  ['no chunk', pngOf(), /it has no header/],
  ['another first chunk', pngOf(palette(1), header()), /begins with chunk PLTE instead of IHDR/],
  ['two headers', pngOf(header(), header()), /a chunk IHDR, which cannot be read or left out/],
  ['a short header', pngOf(pngChunk('IHDR', new Uint8Array(12))), /has 12 bytes instead of 13/],
  ['no width', pngOf(header({ width: 0 })), /says 0 × 2 pixels/],
  ['a negative height', pngOf(header({ height: 2 ** 31 })), /says 2 × 2147483648 pixels/],
  ['RGB of 4 bits', pngOf(header({ depth: 4 })), /colour type 2 with 4 bits, which PNG does not/],
  ['a colour type 5', pngOf(header({ colorType: 5 })), /colour type 5 with 8 bits/],
  ['a compression 1', pngOf(header({ compression: 1 })), /compression 1, filter 0 and interlace 0/],
  ['a filter method 2', pngOf(header({ filter: 2 })), /compression 0, filter 2 and interlace 0/],
  ['an interlacing 2', pngOf(header({ interlace: 2 })), /compression 0, filter 0 and interlace 2/],
  ['no data', pngOf(header()), /it has no data: no chunk IDAT/],
  [
    'empty data',
    pngOf(header(), pngChunk('IDAT', new Uint8Array(0))),
    /compressed data is damaged/,
  ],
  ['text as data', pngOf(header(), pngChunk('IDAT', Buffer.from('text'))), /data is damaged \(/],
  [
    'a wrong checksum of zlib',
    pngOf(header(), pngChunk('IDAT', changed(zlib, -1))),
    /compressed data is damaged \(incorrect data check\)/,
  ],
  ['cut zlib', pngOf(header(), pngChunk('IDAT', zlib.subarray(0, -5))), /data is damaged/],
  ['too little data', pngOf(header(), pngData(twoByTwo.subarray(1))), /after 13 of 14 unpacked/],
  ['too much data', pngOf(header(), pngData(new Uint8Array(15))), /more than the 14 bytes/],
  ['an unknown filter', pngOf(header(), pngData(twoByTwo.with(7, 9))), /a row has filter 9/],
  ['a chunk without a name', pngOf(header(), pngChunk('a\0\x1bB', zlib)), /is not four letters/],
  ['an unknown critical chunk', pngOf(header(), pngChunk('ABCd', zlib)), /chunk ABCd, which/],
  ['no palette', pngOf(asPalette, indexed([0, 0, 0, 0])), /it has no palette: no chunk PLTE/],
  ['an empty palette', pngOf(asPalette, palette(0), indexed([0, 0, 0, 0])), /palette has 0 bytes/],
  ['a long palette', pngOf(asPalette, palette(17), indexed([0, 0, 0, 0])), /has 51 bytes instead/],
  [
    'a broken palette',
    pngOf(asPalette, pngChunk('PLTE', new Uint8Array(4)), indexed([0, 0, 0, 0])),
    /has 4 bytes instead of 3 for each of up to 16 colours/,
  ],
  [
    'a colour beyond the palette',
    pngOf(asPalette, palette(2), indexed([0, 0x01, 0, 0x20])),
    /a pixel has colour 2 of a palette of 2/,
  ],
];

test.each(damaged)('refuses a PNG with %s', async (_, file, reason) => {
  const decoding = decodeImage(file, { source: 'a/x.png' });
  await expect(decoding).rejects.toThrow(DataError);
  await expect(decoding).rejects.toThrow(reason);
  await expect(decoding).rejects.toThrow(/^a\/x\.png: cannot be read as PNG: .*; replace or rem/);
});

test('a PNG cut anywhere is a DataError', async () => {
  for (let length = 0; length < sound.length; length++) {
    await expect(decodeImage(sound.subarray(0, length))).rejects.toThrow(DataError);
  }
});

test('a small file that would unpack to gigabytes is refused by its header', async () => {
  const side = 60_000;
  const file = pngOf(pngHeader({ width: side, height: side }), pngData(new Uint8Array(10)));
  await expect(decodeImage(file, { source: 'x.png' })).rejects.toThrow(
    'x.png: has 60000 × 60000 pixels, which are 10800000000 bytes when decoded, more than ' +
      'maxBytes allows (64000000); make it smaller or raise maxBytes',
  );
});

test('maxBytes is the limit of what is decoded, to the byte', async () => {
  const file = encodePng({ width: 5, height: 4, data: new Uint8Array(60) });
  await expect(decodeImage(file, { maxBytes: 60 })).resolves.toMatchObject({ width: 5 });
  await expect(decodeImage(file, { maxBytes: Infinity })).resolves.toMatchObject({ width: 5 });
  await expect(decodeImage(file, { maxBytes: 59 })).rejects.toThrow(/60 bytes .* allows \(59\)/);
  for (const maxBytes of [0, -1, Number.NaN, '9' as unknown as number]) {
    await expect(decodeImage(file, { maxBytes })).rejects.toThrow(ValueError);
    await expect(decodeImage(file, { maxBytes })).rejects.toThrow(
      /^decodeImage: maxBytes must be a number above 0, got /,
    );
  }
});

test('data that unpacks far beyond the size is given up early', async () => {
  const zeros = Array(300).fill(new Uint8Array(1e6));
  const bomb = await buffer(Readable.from(zeros).pipe(createDeflate()));
  const file = pngOf(header(), pngChunk('IDAT', bomb));
  const before = process.resourceUsage().maxRSS;
  await expect(decodeImage(file)).rejects.toThrow(/unpacks to more than the 14 bytes of its size/);
  await expect(inflateStream([bomb], toLength(14))).rejects.toThrow(/more than the 14 bytes/);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(50e3);
});

const toLength = (length: number) => ({
  format: 'deflate' as const,
  length,
  error: (problem: string) => new DataError(problem),
});

describe('unpacking with the streams of browsers', () => {
  test('gives what Node gives', async () => {
    for (const { file } of cases.slice(0, 20)) {
      const parts = chunksOf(Buffer.from(file, 'base64'))
        .filter(({ type }) => type === 'IDAT')
        .map(({ data }) => data);
      const expected = inflateSync(Buffer.concat(parts));
      expect(
        Buffer.from(await inflateStream(parts, toLength(expected.length))).equals(expected),
      ).toBe(true);
    }
  });

  test('refuses the same data', async () => {
    await expect(inflateStream([zlib.subarray(0, 8)], toLength(14))).rejects.toThrow(
      /data is damaged/,
    );
    await expect(inflateStream([changed(zlib, -1)], toLength(14))).rejects.toThrow(
      /data is damaged/,
    );
    await expect(
      inflateStream([zlib.subarray(0, 4), zlib.subarray(4)], toLength(13)),
    ).rejects.toThrow(/more than the 13 bytes/);
  });
});
