import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, type FileContent, type Snapshot } from '@firelight/nn';
import { MINDSPORE, openCheckpoint } from '@firelight/nn/formats';
import { DTYPES, tensor, ValueError } from '@firelight/tensor';
import { bytesSource, joinBytes } from '@firelight/tensor/formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMindSpore } from '../../../packages/nn/src/formats/mindspore/encode.ts';
import {
  bytesField,
  type Chunks,
  textField,
  varintField,
} from '../../../packages/nn/src/formats/protobuf.ts';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { digestOf, expectedOf, hasInterop, interopPath } from '../../helpers/interop.ts';
import { readAll } from '../../helpers/read-all.ts';

const FILES = ['hand-all.ckpt', 'hand-crc.ckpt', 'mindarmour-lenet-10_1875.ckpt'];
const file = (bytes: Uint8Array) => bytesSource(bytes, { name: 'file', error: CheckpointError });
const read = (bytes: Uint8Array) => MINDSPORE.read(file(bytes)) as FileContent;

type Expected = Record<string, [type: string, shape: number[], digest: string]>;

describe.skipIf(!hasInterop)('files of MindSpore (skipped without ../shared/interop)', () => {
  test.each(FILES)('%s has the tensors that others read', async (name) => {
    const { tensors, metadata } = await openCheckpoint(interopPath(name));
    const expected = expectedOf(name).mindspore as Expected;
    const texts = Object.keys(expected).filter((tag) => expected[tag][0] === 'str');
    expect(Object.keys(metadata)).toEqual(texts);
    for (const tag of texts) expect(metadata[tag]).toBe(expected[tag][2]);
    expect([...Object.keys(tensors), ...texts].sort()).toEqual(Object.keys(expected).sort());
    for (const [tag, found] of Object.entries(tensors)) {
      const [type, shape, sha] = expected[tag];
      expect([found.dtype, found.shape, digestOf(found)], tag).toEqual([
        type.toLowerCase(),
        shape,
        sha,
      ]);
    }
  });

  test('what Momentum keeps is told as the state of an optimizer', async () => {
    const name = 'mindarmour-lenet-10_1875.ckpt';
    const { optimizer, origin, isForeign } = await openCheckpoint(interopPath(name));
    expect([origin, isForeign]).toEqual(['mindspore', true]);
    const [group] = optimizer?.groups ?? [];
    expect(group.settings).toMatchObject({ learning_rate: 0.001, momentum: 0.9 });
    expect(group.parameters).toContain('fc3.bias');
    expect(Object.keys(optimizer?.state ?? {})).toEqual(
      group.parameters.map((parameter) => `moments.${parameter}`),
    );
    expect(optimizer?.state['moments.fc3.bias'].shape).toEqual([10]);
  });

  test('a wrong checksum is told, a right one is left out', async () => {
    const bytes = readFileSync(interopPath('hand-crc.ckpt'));
    bytes[40] ^= 1;
    await expect(openCheckpoint(bytes)).rejects.toThrow(
      /^checkpoint: ends with the checksum c59f3a77 and its content has [0-9a-f]+, so it was damaged; take/,
    );
  });

  test('files with changed bytes are read or refused', async () => {
    const files = ['hand-all.ckpt', 'mindarmour-lenet-10_1875.ckpt'];
    const originals = files.map((name) => readFileSync(interopPath(name)));
    const { read, refused } = await fuzzReader(originals, readAll, { numRuns: 300 });
    expect(Math.min(read, refused)).toBeGreaterThan(0);
  });
});

const snapshot: Snapshot = {
  tensors: {
    ...Object.fromEntries(
      DTYPES.map((dtype) => [`of.${dtype}`, tensor([1, 0, 1, 1, 0, 1], { dtype, shape: [2, 3] })]),
    ),
    scalar: tensor(0.5),
    none: tensor([], { shape: [0, 3] }),
    __proto__x: tensor([1]),
  },
  metadata: { model: 'SqueezeNet 🔥', empty: '' },
};

describe('what is written', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mindspore-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([2 ** 30, 5])(
    'is read back as it was, with values of at most %d bytes',
    (sliceBytes) => {
      const bytes = encodeMindSpore(snapshot, { sliceBytes });
      expect(MINDSPORE.recognise(file(bytes))).toBe(true);
      const { tensors, metadata } = read(bytes);
      expect(metadata).toEqual(snapshot.metadata);
      expect(Object.keys(tensors)).toEqual(Object.keys(snapshot.tensors));
      for (const [name, { dtype, shape, array }] of Object.entries(snapshot.tensors)) {
        expect([tensors[name].dtype, tensors[name].shape]).toEqual([dtype, shape]);
        expect([...tensors[name].array.data]).toEqual([...array.data]);
      }
    },
  );

  test.skipIf(!hasCommand('python3'))('is read by other code (skipped without python3)', () => {
    const path = join(folder, 'written.ckpt');
    const script = join(import.meta.dirname, '../../fixtures/mindspore/read.py');
    for (const sliceBytes of [2 ** 30, 5]) {
      writeFileSync(path, encodeMindSpore(snapshot, { sliceBytes }));
      const found: Expected = JSON.parse(
        execFileSync('python3', [script, path], { encoding: 'utf8' }),
      );
      const tensors = Object.entries(snapshot.tensors).map(([name, value]) => [
        name,
        value.dtype,
        value.shape.length === 0 ? [0] : value.shape,
        digestOf(value),
      ]);
      const texts = Object.entries(snapshot.metadata).map(([name, text]) => [
        name,
        'str',
        [0],
        text,
      ]);
      const told = Object.entries(found).map(([name, [type, ...rest]]) => [
        name,
        type.toLowerCase(),
        ...rest,
      ]);
      expect(told).toEqual([...tensors, ...texts]);
    }
  });

  test('needs different names for tensors and texts', () => {
    const metadata = { scalar: 'text' };
    expect(() => encodeMindSpore({ ...snapshot, metadata })).toThrow(ValueError);
    expect(() => encodeMindSpore({ ...snapshot, metadata })).toThrow(
      "mindspore: 'scalar' is the name of a tensor and of a text; rename one of them",
    );
  });
});

test('texts and files of other programs are not taken for checkpoints', () => {
  const texts = ['', '\n', '\nA\nBC', '\n\n\n\n\n', '\n€\n{"weights": 1}', '<html>'];
  for (const text of texts) {
    expect(MINDSPORE.recognise(file(new TextEncoder().encode(text))), text).toBe(false);
  }
});

describe('what is refused', () => {
  const F32 = textField(2, 'Float32');
  const content = (bytes: number): Chunks => bytesField(3, [new Uint8Array(bytes)]);
  const value = (tag: string, ...parts: Chunks[]): Chunks =>
    bytesField(1, [...textField(1, tag), ...bytesField(2, parts.flat())]);
  const dims = (...lengths: number[]): Chunks =>
    lengths.flatMap((length) => varintField(1, length));
  const x = value('x', dims(2), F32, content(8));
  const y = value('y', dims(2), F32, content(8));

  test.each<[what: string, chunks: Chunks, message: RegExp]>([
    ['a cut tensor', [joinBytes(x).subarray(0, 20)], /has a field of \d+ bytes where \d+ are left/],
    ['a cut length', [Uint8Array.of(10, 0xff)], /has an integer without an end at byte 1/],
    ['a group', [Uint8Array.of(11, 10, 0)], /has a field of wire type 3 at byte 0/],
    ['field 0', [Uint8Array.of(2, 0)], /has a field of number 0 at byte 0/],
    [
      'two tensors of a name',
      [x, y, x].flat(),
      /has two tensors 'x', with others between them, so it is damaged; save it again/,
    ],
    [
      'slices of two shapes',
      [x, value('x', dims(3), F32, content(4))].flat(),
      /the slices of tensor 'x' differ in dims or type/,
    ],
    [
      'too few elements',
      value('x', dims(3, 2), F32, content(8)),
      /tensor 'x' of type Float32 and dims \[3, 2\] needs 24 bytes and has 8/,
    ],
    ['a negative length', value('x', dims(-1), F32, content(8)), /has the dims \[-1\], where/],
    [
      'a length beyond integers',
      value('x', bytesField(1, [Uint8Array.from([...new Array(8).fill(0xff), 0x7f])]), F32),
      /has the integer 9223372036854776000 at byte \d+, which is too large to be right/,
    ],
    ['33 axes', value('x', dims(...new Array(33).fill(1)), F32, content(4)), /at most 32 integers/],
    [
      'a million packed axes',
      value('x', bytesField(1, [new Uint8Array(1e6).fill(1)]), F32, content(4)),
      /at most 32 integers/,
    ],
    ['no name', bytesField(1, bytesField(2, [...F32])), /the value at byte 2 lacks its name/],
    ['no tensor', bytesField(1, textField(1, 'x')), /the value at byte 2 lacks its tensor/],
    [
      'a map of a sparse embedding',
      bytesField(1, [...textField(1, 'x'), ...bytesField(3, [])]),
      /'x' is a map of a sparse embedding, which is not read here; save the network without it/,
    ],
    [
      'a name that is no text',
      bytesField(1, bytesField(1, [Uint8Array.of(0xff)])),
      /the name at byte \d is no text of at most 4096 bytes/,
    ],
    [
      'a text of half a character',
      value('x', dims(0), textField(2, 'str'), content(6)),
      /the text 'x' has 6 bytes, no multiple of 4/,
    ],
    [
      'a text of what is no character',
      value('x', dims(0), textField(2, 'str'), bytesField(3, [Uint8Array.of(0, 0, 17, 0)])),
      /the text 'x' has no character 1114112/,
    ],
    ...(['AES-GCM', 'AES-CBC', 'SM4-CBC'] as const).map((method, i): [string, Chunks, RegExp] => [
      method,
      [Uint8Array.of(0xd8 + i, 0x5e, 0x3a, 0x7f, 1, 2, 3)],
      new RegExp(
        `^file: is encrypted by MindSpore \\(${method}\\), .*; load it in MindSpore with dec`,
      ),
    ]),
  ])('%s', (_, chunks, message) => {
    const bytes = joinBytes(chunks);
    expect(() => read(bytes)).toThrow(CheckpointError);
    expect(() => read(bytes)).toThrow(message);
  });

  test('only where it is asked for: a type that we lack, or an element that none holds', () => {
    const bytes = joinBytes([
      ...value('complex', dims(1), textField(2, 'Complex64'), content(8)),
      ...value('flag', dims(1), textField(2, 'Bool'), bytesField(3, [Uint8Array.of(7)])),
      ...x,
    ]);
    const { tensors } = read(bytes);
    expect(tensors.x.toArray()).toEqual([0, 0]);
    expect(() => tensors.complex).toThrow(
      "file: tensor 'complex' has type 'Complex64'; supported are Float64, Float32, ",
    );
    expect(() => tensors.flag).toThrow("file: element 0 of tensor 'flag' is 7, which is neither");
  });

  test('nothing of other fields, which newer versions may have', () => {
    const newer = value('x', dims(2), F32, content(8), varintField(9, 7), bytesField(10, [...F32]));
    expect(Object.keys(read(joinBytes([...varintField(3, 300), ...newer])).tensors)).toEqual(['x']);
  });

  test('names such as __proto__ are names', () => {
    const bytes = joinBytes(
      ['__proto__', 'constructor', 'toString'].flatMap((tag) =>
        value(tag, dims(2), F32, content(8)),
      ),
    );
    const { tensors } = read(bytes);
    expect(Object.keys(tensors)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.values(tensors).map(({ shape }) => shape)).toEqual([[2], [2], [2]]);
  });
});
