import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DTYPES, DTypeError, FormatError, type Tensor, tensor } from '@firelight/tensor';
import {
  bytesSource,
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  encodeZip,
  looksLikeNpy,
  looksLikeNpz,
  type NamedTensors,
} from '@firelight/tensor/formats';
import { afterAll, describe, expect, test } from 'vitest';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { digestOf, expectedOf, hasInterop, interopPath, PYTHON } from '../../helpers/interop.ts';

const folder = mkdtempSync(join(tmpdir(), 'firelight-numpy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sourceOf = (bytes: Uint8Array) => bytesSource(bytes, { name: 'file' });
const decode = (bytes: Uint8Array): Tensor => decodeNpy(sourceOf(bytes));

/** An array of version 1.0 with any header. */
function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(text.length, 0, length.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.of(version, 0),
    length,
    text,
    data,
  ]);
}
const described = (description: string, shape = '(2,)', data = new Uint8Array(0)): Uint8Array =>
  npy(`{'descr': ${description}, 'fortran_order': False, 'shape': ${shape}, }\n`, data);

const NUMPY_DTYPES = DTYPES.filter((dtype) => dtype !== 'bfloat16');
const samples: NamedTensors = {
  ...Object.fromEntries(
    NUMPY_DTYPES.map((dtype) => [dtype, tensor([0, 1, 1, 0, 1, 1], { dtype, shape: [2, 3] })]),
  ),
  'a/b.c': tensor(-3.5),
  ['__proto__']: tensor([1, 2]),
  empty: tensor([], { shape: [0, 3] }),
};

describe.skipIf(!hasInterop)('files of NumPy in ../shared/interop (skipped without it)', () => {
  test.each(['np-bigendian.npy', 'np-fortran.npy'])('%s', (name) => {
    const x = decode(readFileSync(interopPath(name)));
    const [, shape, , digest] = expectedOf(name).numpy as [string, number[], boolean, string];
    expect([x.dtype, x.shape, digestOf(x)]).toEqual(['float32', shape, digest]);
  });

  test.each(['np-state.npz', 'np-compressed.npz'])('%s', async (name) => {
    const tensors = await decodeNpz(sourceOf(readFileSync(interopPath(name))));
    const expected = expectedOf(name).numpy as Record<string, [string, number[], boolean, string]>;
    expect(Object.keys(tensors)).toEqual(Object.keys(expected));
    const dtypes: Record<string, string> = { '<f4': 'float32', '<i8': 'int64' };
    for (const [key, [description, shape, , digest]] of Object.entries(expected)) {
      const x = tensors[key];
      expect([x.dtype, x.shape, digestOf(x)]).toEqual([dtypes[description], shape, digest]);
    }
  });
});

describe('what is written', () => {
  test('is read again', async () => {
    const bytes = encodeNpz(samples);
    expect([looksLikeNpz(sourceOf(bytes)), looksLikeNpy(sourceOf(bytes))]).toEqual([true, false]);
    const read = await decodeNpz(sourceOf(bytes));
    expect(Object.keys(read)).toEqual(Object.keys(samples));
    for (const [name, { dtype, shape, data }] of Object.entries(samples)) {
      expect([read[name].dtype, read[name].shape]).toEqual([dtype, shape]);
      expect(read[name].data).toEqual(data);
      const alone = encodeNpy(samples[name]);
      expect([looksLikeNpy(sourceOf(alone)), looksLikeNpz(sourceOf(alone))]).toEqual([true, false]);
      expect(decode(alone).data).toEqual(data);
    }
  });

  test.skipIf(!hasCommand(PYTHON, '-c', 'import numpy'))(
    'is what NumPy reads, and the other way round (skipped without it)',
    async () => {
      const [ours, theirs] = [join(folder, 'ours.npz'), join(folder, 'theirs.npz')];
      writeFileSync(ours, encodeNpz(samples));
      const code = `
import sys, io, json, numpy as np
z = np.load(sys.argv[1])
print(json.dumps([[k, str(z[k].dtype), list(z[k].shape), z[k].astype('f8').ravel().tolist()] for k in z]))
np.savez_compressed(sys.argv[2], **{k: z[k].astype(z[k].dtype.newbyteorder('>'), order='F') for k in z})
`;
      const shown = JSON.parse(
        execFileSync(PYTHON, ['-c', code, ours, theirs], { encoding: 'utf8' }),
      );
      const expected = Object.entries(samples).map(([name, { dtype, shape, data }]) => [
        ...[name, dtype, shape, Array.from(data, Number)],
      ]);
      expect(shown).toEqual(expected);
      const read = await decodeNpz(sourceOf(readFileSync(theirs)));
      expect(
        Object.entries(read).map(([name, { dtype, shape, data }]) => [
          ...[name, dtype, shape, Array.from(data, Number)],
        ]),
      ).toEqual(expected);
    },
  );

  test('has no bfloat16', () => {
    const x = tensor([1], { dtype: 'bfloat16' });
    expect(() => encodeNpz({ x })).toThrow(DTypeError);
    expect(() => encodeNpy(x)).toThrow(
      'npy: NumPy has no bfloat16; cast the tensor to float32 first',
    );
  });
});

test('headers of any version and Python are read', () => {
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const headers: [header: string, version?: number][] = [
    ["{'descr': '|u1', 'fortran_order': True, 'shape': (3, 2), }"],
    ['{"shape": (3L, 2L), "fortran_order": True, "descr": "|u1"}'],
    ["  {'fortran_order':True,'shape':(3,2,),'descr':'|u1'}   \n", 2],
    ["{'descr': '|u1', 'fortran_order': True, 'shape': ( 3 , 2 ), }\n", 3],
  ];
  for (const [header, version] of headers) {
    expect(decode(npy(header, data, version)).toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
  }
  expect(decode(described("'<f4'", '()', new Uint8Array(4))).shape).toEqual([]);
});

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['objects', described("'|O'"), /'\|O', are objects of Python, which would have to be run/],
  ['strings', described("'<U3'"), /'<U3', are strings; save arrays of numbers/],
  ['bytes', described("'|S5'"), /are strings/],
  ['dates', described("'<M8[D]'"), /are dates; save them as numbers/],
  ['spans', described("'<m8[ns]'"), /are spans of time/],
  ['complex numbers', described("'<c16'"), /are complex numbers; save \.real and \.imag/],
  ['long floats', described("'<f16'"), /are floats of more than 64 bits/],
  ['bfloat16', described("'<V2'"), /are bytes without a type, as of bfloat16/],
  ['records', described("[('a', '<f4'), ('b', '|O')]"), /are records of named fields; save each/],
  ['a type of none', described("'constructor'"), /'constructor', are complex|of no kind/],
  ['a name of objects', described("'<toString'"), /are of no kind that is read/],
  ['no byte order', described("'|f4'"), /'\|f4', are floats of more/],
  ['another file', Buffer.from('PK'), /is no array of NumPy, which begins with/],
  ['a version of later', npy('{}', new Uint8Array(0), 4), /is in version 4 of NumPy's format/],
  ['a cut header', npy('{').subarray(0, 9), /ends at byte 9 where bytes 8 to 10 should be/],
  [
    'a header of gigabytes',
    npy('{'.repeat(70_000), new Uint8Array(0), 2),
    /a header of 70000 bytes/,
  ],
  ['an empty header', npy(''), /its header '' is damaged; it needs descr, fortran_order and a/],
  ['a negative length', described("'<f4'", '(-1,)'), /header .* is damaged/],
  ['a hole in the shape', described("'<f4'", '(1,,2)'), /is damaged/],
  ['33 axes', described("'<f4'", `(${'1,'.repeat(33)})`), /a shape of at most 32 axes/],
  ['code', npy("{'descr': exit(), 'fortran_order': False, 'shape': ()}"), /is damaged/],
  [
    'a cut array',
    described("'<f4'", '(2,)', new Uint8Array(7)),
    /needs 8 bytes and .* 7 after .* cut off/,
  ],
  ['two arrays', described("'<f4'", '(2,)', new Uint8Array(9)), /so it is too long/],
  ['an absurd shape', described("'<f4'", '(999999999999999, 99999)'), /so it is cut off/],
  [
    'a truth of 7',
    described("'|b1'", '(1,)', Uint8Array.of(7)),
    /element 0 of the array is 7, which is neither/,
  ],
])('%s: refused with the reason', (_, bytes, message) => {
  expect(() => decode(bytes)).toThrow(FormatError);
  expect(() => decode(bytes)).toThrow(message);
});

test('in an archive an array that cannot be read disturbs no other', async () => {
  const members: [string, Uint8Array][] = [
    ['x.npy', encodeNpy(tensor([1]))],
    ['names.npy', described("'<U3'")],
    ['readme.txt', Buffer.from('hello')],
  ];
  const tensors = await decodeNpz(sourceOf(encodeZip(members)));
  expect(Object.keys(tensors)).toEqual(['x', 'names']);
  expect(tensors.x.toArray()).toEqual([1]);
  expect(() => tensors.names).toThrow(
    /^file: member 'names.npy': its elements, '<U3', are strings/,
  );
});

test('a header of many spaces takes no long time', () => {
  const wide = ' '.repeat(65_000);
  for (const header of [`{'descr': ${wide}`, `{${wide}`, `{'descr': '<f4', 'shape': (1${wide}`]) {
    expect(() => decode(npy(header))).toThrow(/is damaged/);
  }
});

test('300 changed files are read or refused', async () => {
  const look = async (bytes: Uint8Array): Promise<void> => {
    for (const x of Object.values(await decodeNpz(sourceOf(bytes)))) x.toArray();
  };
  const fortran = npy(
    "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 3), }",
    new Uint8Array(48),
  );
  const arrays = [...Object.values(samples).map(encodeNpy), fortran];
  const alone = await fuzzReader(arrays, (bytes) => decode(bytes).toArray(), { numRuns: 200 });
  expect(alone.refused).toBeGreaterThan(100);
  const archives = await fuzzReader([encodeNpz(samples)], look, { numRuns: 100 });
  expect(archives.refused).toBeGreaterThan(20);
});
