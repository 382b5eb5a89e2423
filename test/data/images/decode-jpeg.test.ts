import { readFileSync } from 'node:fs';
import { DataError, decodeImage } from '@firelight/data';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../../helpers/shared.ts';

const fixture = new URL('../../fixtures/pictures/jpeg.json', import.meta.url);
const { cases, refused, shape } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  cases: { name: string; file: string; pixels: string }[];
  refused: Record<string, string>;
  shape: [number, number, number];
};

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
const fileOf = (name: string): Uint8Array =>
  bytesOf(cases.find((one) => one.name === name)?.file ?? '');

/** The largest difference of two pictures. */
function distance(a: Uint8Array, b: Uint8Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((largest, byte, at) => Math.max(largest, Math.abs(byte - b[at])), 0);
}

/** The file with the byte at `offset` of the data of its first segment `marker` set to `value`. */
function patched(file: Uint8Array, marker: number, offset: number, value: number): Uint8Array {
  const at = Buffer.from(file).indexOf(Buffer.of(0xff, marker));
  return file.with(at + 4 + offset, value) as Uint8Array;
}

describe('JPEG is read as by libjpeg-turbo, within 3 of 255', () => {
  test.each(cases)('$name', async ({ file, pixels }) => {
    const { data, height, width, channels } = await decodeImage(bytesOf(file));
    expect([height, width, channels]).toEqual(shape);
    expect(distance(data as Uint8Array, bytesOf(pixels))).toBeLessThanOrEqual(3);
  });
});

test.skipIf(sharedPath('images') === null)(
  'a photograph is read as by PIL, within 3 of 255 (skipped without ../shared/images)',
  async () => {
    const image = await decodeImage(readFileSync(sharedPath('images', 'tabby.jpg') as string));
    const ppm = readFileSync(sharedPath('images', '224', 'tabby.ppm') as string);
    const expected = new Uint8Array(ppm.subarray(-224 * 224 * 3));
    expect(image).toMatchObject({ height: 224, width: 224, channels: 3, layout: 'HWC' });
    expect(distance(image.data as Uint8Array, expected)).toBeLessThanOrEqual(3);
  },
);

test.each([
  ['arithmetic-coded', /is a JPEG that is arithmetic-coded, which is not read; save it as an ord/],
  ['arithmetic-coded, progressive', /is a JPEG that is arithmetic-coded, which is not read/],
  ['lossless', /is a JPEG that is lossless, which is not read; save it as an ordinary one/],
  ['of 12 bits', /is a JPEG of 12 bits, of which 8 are read; save it with 8/],
  ['of four colours without a name', /is a JPEG of four colours that it does not name; save it as/],
])('a JPEG that is %s is refused by its kind', async (name, reason) => {
  const decoding = decodeImage(bytesOf(refused[name]), { source: 'a/x.jpg' });
  await expect(decoding).rejects.toThrow(DataError);
  await expect(decoding).rejects.toThrow(reason);
  await expect(decoding).rejects.toThrow(/^a\/x\.jpg: is a JPEG/);
});

const sound = fileOf('4:4:4');
const SOF0 = 0xc0;
const frame = (offset: number, value: number) => patched(sound, SOF0, offset, value);
const scanAt = Buffer.from(sound).indexOf(Buffer.of(0xff, 0xda));
const part = (start: number, end?: number) => sound.subarray(start, end);
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const frameAt = Buffer.from(sound).indexOf(Buffer.of(0xff, SOF0));

test.each([
  ['only a start', part(0, 2), /it is cut: its end-of-image marker is missing/],
  ['no end', part(0, -2), /it is cut: its end-of-image marker is missing/],
  ['no data', joined(part(0, scanAt), part(-2)), /it has no data/],
  ['no frame', joined(part(0, frameAt), part(frameAt + 19)), /its data comes before its size/],
  [
    'two frames',
    joined(part(0, frameAt), part(frameAt, frameAt + 19), part(frameAt)),
    /two frames/,
  ],
  ['another picture in it', joined(part(0, scanAt), part(0)), /a second picture begins inside/],
  ['no width', frame(3, 0).with(frameAt + 8, 0) as Uint8Array, /it has 0 × 29 pixels/],
  ['two colours', frame(5, 2), /its frame has a wrong length/],
  ['a sampling factor of 5', frame(7, 0x51), /it has sampling factors 5 and 1 instead of 1 to 4/],
  ['a sampling factor of 0', frame(7, 0x10), /it has sampling factors 1 and 0 instead of 1 to 4/],
  ['a colour twice', frame(9, sound[frameAt + 10]), /it has one colour twice/],
  [
    'more size than bytes',
    frame(1, 15).with(frameAt + 7, 15),
    /its \d+ bytes are too few for 3877/,
  ],
  [
    'hundreds of scans',
    joined(part(0, scanAt), ...Array(101).fill(part(scanAt, -2)), part(-2)),
    /it has over 100 scans/,
  ],
  ['no tables', joined(part(0, 20), part(frameAt, frameAt + 19), part(scanAt)), /is damaged/],
] as [string, Uint8Array, RegExp][])('refuses a JPEG with %s', async (_, file, reason) => {
  const decoding = decodeImage(file, { source: 'x.jpg' });
  await expect(decoding).rejects.toThrow(DataError);
  await expect(decoding).rejects.toThrow(reason);
  await expect(decoding).rejects.toThrow(
    /^x\.jpg: cannot be read as JPEG: .*; replace or remove it$/,
  );
});

test('a JPEG cut anywhere is a DataError', async () => {
  for (const name of ['4:2:0', 'progressive 4:4:4', 'grey, restart every 3 blocks']) {
    const file = fileOf(name);
    for (let length = 0; length < file.length; length += 7) {
      await expect(decodeImage(file.subarray(0, length))).rejects.toThrow(DataError);
    }
  }
});

test('maxBytes is checked by the header of a JPEG', async () => {
  const maxBytes = 3 * 37 * 29;
  await expect(decodeImage(sound, { maxBytes })).resolves.toMatchObject({ width: 37 });
  await expect(decodeImage(sound, { maxBytes: maxBytes - 1, source: 'x.jpg' })).rejects.toThrow(
    'x.jpg: has 37 × 29 pixels, which are 3219 bytes when decoded, more than maxBytes allows ' +
      '(3218); make it smaller or raise maxBytes',
  );
});
