import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { FormatError, ValueError } from '@firelight/tensor';
import { bytesSource, crc32, encodeZip, readZip, zipNames } from '@firelight/tensor/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32ByTable } from '../../../packages/tensor/src/formats/crc32.ts';
import { type FreeMember, freeZip } from '../../helpers/free-zip.ts';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { PYTHON } from '../../helpers/interop.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const open = (bytes: Uint8Array) => readZip(bytesSource(bytes, { name: 'file' }));
const contentOf = async (bytes: Uint8Array): Promise<Record<string, string>> =>
  Object.fromEntries(
    [...(await open(bytes))].map(([name, { source, size }]) => [
      name,
      new TextDecoder().decode(source.bytes(0, size)),
    ]),
  );

const members: readonly [string, Uint8Array][] = [
  ['a/é.txt', text('first')],
  ['__proto__', text('')],
  ['b', text('second '.repeat(100))],
];

test('CRC-32 is that of the specification, in one piece or several, by table or by Node', () => {
  expect(crc32(text('123456789'))).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      const whole = crc32(Buffer.concat([a, b]));
      expect([crc32(b, crc32(a)), crc32ByTable(b, crc32ByTable(a, 0))]).toEqual([whole, whole]);
    }),
  );
});

describe('what is written', () => {
  test('is read again, and begins at the alignment', async () => {
    for (const alignment of [1, 16, 64]) {
      const bytes = encodeZip(members, { alignment });
      const read = await open(bytes);
      expect([...read.keys()]).toEqual(members.map(([name]) => name));
      for (const [name, content] of members) {
        expect(read.get(name)?.source.bytes(0, content.length)).toEqual(content);
        const at = Buffer.from(bytes).indexOf(content);
        if (content.length > 0) expect(at % alignment).toBe(0);
      }
    }
    expect(await contentOf(encodeZip([]))).toEqual({});
  });

  test.skipIf(!hasCommand(PYTHON))('is what Python reads (skipped without it)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firelight-zip-'));
    try {
      const path = join(folder, 'a.zip');
      await writeFile(path, encodeZip(members, { alignment: 64 }));
      const code =
        'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), ' +
        '[(i.filename, i.file_size) for i in z.infolist()])';
      expect(execFileSync(PYTHON, ['-c', code, path], { encoding: 'utf8' }).trim()).toBe(
        "None [('a/é.txt', 5), ('__proto__', 0), ('b', 700)]",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('must fit into an archive without zip64', () => {
    const none = new Uint8Array(0);
    const many = Array.from({ length: 65535 }, (_, i): [string, Uint8Array] => [String(i), none]);
    expect(() => encodeZip(many)).toThrow(ValueError);
    expect(() => encodeZip(many)).toThrow(/^zip: 65535 members of \d+ bytes are too many/);
    expect(() => encodeZip([['x'.repeat(65536), none]])).toThrow(/the name 'x+…' is too long/);
  });
});

describe('an archive of others', () => {
  const content = text('some text, some text, some text');
  const cases: [
    what: string,
    member: Partial<FreeMember>,
    archive?: Parameters<typeof freeZip>[1],
  ][] = [
    ['with sizes behind the bytes, as of PyTorch', { flags: 0x808, localSizes: false }],
    ['deflated', { method: 8 }],
    ['deflated to a stream', { method: 8, flags: 8, localSizes: false }],
    ['with zip64 fields', { wide: true }],
    ['with a zip64 end', {}, { wideEnd: true }],
    ['with a comment', {}, { comment: 'PK\x05\x06 no end' }],
    ['behind other bytes', {}, { before: '#!/bin/sh\nPK\x03\x04' }],
    ['behind other bytes, with a zip64 end', {}, { before: '#!/bin/sh\n', wideEnd: true }],
    ['with another extra field in the local header', { localExtra: 'FB\x02\x00ZZ' }],
    ['without a checksum, as PyTorch writes for bytes of later', { crc: 0 }],
  ];
  test.each(cases)('%s is read', async (_, member, archive) => {
    const bytes = freeZip(
      [
        { name: 'x', content, ...member },
        { name: 'y', content },
      ],
      archive,
    );
    const expected = new TextDecoder().decode(content);
    expect(await contentOf(bytes)).toEqual({ x: expected, y: expected });
  });

  test('gives names in any encoding', async () => {
    const names = ['\x80\xff', 'é'];
    const bytes = freeZip([
      { name: Buffer.from(names[0], 'latin1'), content },
      { name: 'é', content, flags: 0x800 },
    ]);
    expect(zipNames(bytesSource(bytes, { name: 'file' }))).toEqual(names);
    expect(zipNames(bytesSource(bytes.subarray(0, 60), { name: 'file' }))).toHaveLength(1);
    expect(zipNames(bytesSource(content, { name: 'file' }))).toEqual([]);
  });

  const packed = deflateRawSync(content);
  const refusals: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ['without an end', freeZip([{ name: 'x', content }]).subarray(0, -1), /without its directory/],
    ['of nothing', new Uint8Array(0), /without its directory, so it is cut off; fetch it again/],
    ['encrypted', freeZip([{ name: 'x', content, flags: 1 }]), /member 'x': is encrypted/],
    ['of another method', freeZip([{ name: 'x', content, method: 14 }]), /packed by method 14/],
    [
      'of two names',
      freeZip([
        { name: 'x', content },
        { name: 'x', content },
      ]),
      /two members 'x'/,
    ],
    ['of a wrong checksum', freeZip([{ name: 'x', content, crc: 1 }]), /do not have its CRC-32/],
    [
      'deflated, of a wrong checksum',
      freeZip([{ name: 'x', content, method: 8, crc: 1 }]),
      /member 'x': its bytes do not have its CRC-32/,
    ],
    [
      'of a wrong size',
      freeZip([{ name: 'x', content, size: 7 }]),
      /has 31 bytes where 7 should be/,
    ],
    [
      'that unpacks to more than it says',
      freeZip([{ name: 'x', content, method: 8, size: 7 }]),
      /unpacks to more than the 7 bytes of its size/,
    ],
    [
      'that unpacks to less than it says',
      freeZip([{ name: 'x', content, method: 8, size: 70 }]),
      /ends after 31 of 70 unpacked bytes/,
    ],
    [
      'of damaged bytes',
      freeZip([{ name: 'x', content, method: 8, packed: packed.subarray(0, 5) }]),
      /compressed data is damaged/,
    ],
    [
      'of a bomb',
      freeZip([{ name: 'x', content, method: 8, size: 1e9 }]),
      /would unpack from \d+ to 1000000000 bytes/,
    ],
    [
      'of members that overlap',
      freeZip(
        Array.from({ length: 9 }, (_, i) => ({
          ...{ name: String(i), content: new Uint8Array(1000), start: 0, hidden: i > 0 },
        })),
      ),
      /members overlap/,
    ],
    ['that points beyond itself', freeZip([{ name: 'x', content, start: 1e9 }]), /beyond the end/],
    [
      'that points to no header',
      freeZip([{ name: 'x', content, start: 1 }]),
      /has no header at byte 1/,
    ],
    [
      'of a wrong number',
      freeZip([{ name: 'x', content }], { count: 2 }),
      /the end of the zip archive is damaged/,
    ],
  ];
  test.each(refusals)('%s is refused', async (_, bytes, message) => {
    const read = contentOf(bytes);
    await expect(read).rejects.toThrow(FormatError);
    await expect(read).rejects.toThrow(/^file: /);
    await expect(read).rejects.toThrow(message);
  });
});

test('300 changed archives are read or refused', async () => {
  const content = text('some text');
  const originals = [
    encodeZip(members, { alignment: 64 }),
    freeZip([{ name: 'x', content, method: 8, wide: true }], { wideEnd: true, comment: 'z' }),
  ];
  const { read, refused } = await fuzzReader(originals, contentOf, { numRuns: 300 });
  expect(read).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(100);
});
