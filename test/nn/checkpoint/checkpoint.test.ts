import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  Fire,
  Linear,
  loadCheckpoint,
  loadParamIntoNet,
  Sequential,
  saveCheckpoint,
} from '@firelight/nn';
import { DTYPES, type DType, Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../helpers/safetensors.ts';
import { safetensorsBytes } from '../../helpers/safetensors-bytes.ts';
import { sharedPath } from '../../helpers/shared.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-checkpoint-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const generator = new Generator(0);
const fire = (seed: number): Fire =>
  new Fire({
    inChannels: 3,
    squeezeChannels: 2,
    expand1x1Channels: 2,
    expand3x3Channels: 4,
    generator: new Generator(seed),
  });

const sameBits = (a: Tensor, b: Tensor): void => {
  expect([b.dtype, b.shape]).toEqual([a.dtype, a.shape]);
  const [own, other] = [a, b].map(({ data: { buffer, byteOffset, byteLength } }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  expect(own.equals(other)).toBe(true);
};

/** Tensors of every dtype with names of any characters. */
const states = fc.dictionary(
  fc
    .oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'firelight.sha256',
        '\u202e\u001b[2J',
      ),
    )
    .filter((name) => name !== '__metadata__'),
  fc.tuple(
    fc.constantFrom<DType>(...DTYPES),
    fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
    fc.nat(),
  ),
  { maxKeys: 5, noNullPrototype: true },
);
const toTensors = (state: Record<string, [DType, number[], number]>) =>
  Object.fromEntries(
    Object.entries(state).map(([name, [dtype, shape, seed]]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const values = Array.from(new Generator(seed).words(size), (word) => word % 2);
      return [name, tensor(Float64Array.from(values), { dtype, shape })];
    }),
  );

describe('a file', () => {
  test('gives back every tensor and string as it was', () =>
    fc.assert(
      fc.asyncProperty(states, fc.dictionary(fc.string(), fc.string()), async (state, strings) => {
        const metadata = Object.fromEntries(
          Object.entries(strings).filter(([name]) => !/^(format$|firelight\.)/.test(name)),
        );
        const tensors = toTensors(state);
        const bytes = await encodeCheckpoint({ tensors, metadata });
        const back = await decodeCheckpoint(bytes, 'memory');
        expect(Object.keys(back.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, original] of Object.entries(tensors)) {
          sameBits(original, back.tensors[name]);
        }
        expect(back.metadata).toMatchObject(metadata);
      }),
    ));

  test('that is cut or changed anywhere is refused', async () => {
    const network = fire(1);
    const bytes = await encodeCheckpoint({ tensors: network.stateDict(), metadata: { a: 'b' } });
    const changes = new Generator(7).words(bytes.length);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 1 + (changes[at] % 255);
      await expect(decodeCheckpoint(damaged, 'x')).rejects.toThrow(CheckpointError);
      await expect(decodeCheckpoint(bytes.slice(0, at), 'x')).rejects.toThrow(CheckpointError);
    }
    const unnamed = bytes.slice();
    unnamed[new TextDecoder('latin1').decode(bytes).indexOf('firelight.sha256')] ^= 1;
    await expect(decodeCheckpoint(unnamed, 'x')).rejects.toThrow(
      /x: it lacks its checksum, so the file was damaged/,
    );
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    await expect(decodeCheckpoint(longer, 'x')).rejects.toThrow(/too long/);
  });

  test('is not changed by being read', async () => {
    const bytes = Buffer.from(
      await encodeCheckpoint({ tensors: { a: tensor([1]) }, metadata: {} }),
    );
    const before = bytes.toString('hex');
    const { tensors } = await decodeCheckpoint(bytes, 'x');
    tensors.a.array.data[0] = 2; // Where it lies; assign might move it first.
    expect(bytes.toString('hex')).toBe(before);
  });

  test('is safetensors that another reader reads', async () => {
    const network = fire(2);
    const path = await saveCheckpoint(network, join(folder, 'plain'), { note: 'hello' });
    expect(path).toBe(join(folder, 'plain.safetensors'));
    const { tensors, metadata } = readSafetensors(path);
    expect(metadata.note).toBe('hello');
    for (const [name, own] of Object.entries(network.stateDict())) sameBits(own, tensors[name]);
  });

  test.skipIf(sharedPath('golden') === null)(
    "may be another program's (skipped without ../shared/golden)",
    async () => {
      const path = sharedPath('golden', 'squeezenet-5-steps.safetensors') as string;
      const { tensors } = await loadCheckpoint(path);
      const expected = readSafetensors(path).tensors;
      expect(Object.keys(tensors).sort()).toEqual(Object.keys(expected).sort());
      for (const [name, own] of Object.entries(expected)) sameBits(own, tensors[name]);
    },
  );
});

describe('errors of files', () => {
  const header = (entries: unknown, data = 8): Uint8Array => safetensorsBytes(entries, data);
  const entry = (dtype: string, shape: number[], ...offsets: number[]) => ({
    dtype,
    shape,
    data_offsets: offsets,
  });
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ['nothing', new Uint8Array(3), /has only 3 bytes/],
    ['a huge header', new Uint8Array(8).fill(255), /claims a header of \d+ bytes and has 8/],
    ['10,000 lists', safetensorsBytes('['.repeat(1e4) + ']'.repeat(1e4)), /no JSON object/],
    [
      '10,000 lists as a dtype',
      safetensorsBytes(
        `{"a":{"dtype":${'['.repeat(1e4) + ']'.repeat(1e4)},"shape":[],"data_offsets":[0,0]}}`,
      ),
      /'a' is malformed/,
    ],
    ['no JSON', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 65, 66), /header that is no JSON,/],
    ['no object', header([1], 0), /no JSON object/],
    ['metadata of numbers', header({ __metadata__: { a: 1 } }, 0), /must hold strings only/],
    ['a malformed entry', header({ a: { dtype: 'F32', shape: [-1] } }), /'a' is malformed/],
    ['an overlap', header({ a: entry('U8', [8], 0, 8), b: entry('U8', [4], 4, 8) }), /overlaps/],
    ['a gap', header({ a: entry('U8', [4], 4, 8) }), /'a' at byte 4 of the data leaves a gap/],
    ['too few bytes', header({ a: entry('U8', [9], 0, 9) }), /need 9 bytes .* has 8, so it is cut/],
    ['a wrong size', header({ a: entry('F32', [3], 0, 8) }), /\[3\] needs 12 bytes and has 8/],
    [
      'a dtype that is no text',
      header({ a: { ...entry('U8', [8], 0, 8), dtype: {} } }),
      /malformed/,
    ],
    ['too many axes', header({ a: entry('U8', Array(33).fill(1), 0, 8) }), /at most 32 axes/],
    ['an endless shape', header({ a: entry('U8', [2 ** 53 - 1, 2 ** 53 - 1, 2], 0, 8) }), /has 8/],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    const error = await decodeCheckpoint(bytes, 'file.safetensors').catch((caught) => caught);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^file\.safetensors: /);
  });

  test('no file', async () => {
    await expect(loadCheckpoint('/no/such.safetensors')).rejects.toThrow(
      /no\/such\.safetensors: there is no such file/,
    );
    await expect(loadCheckpoint(folder)).rejects.toThrow(CheckpointError);
  });
});

describe('loadParamIntoNet', () => {
  test('makes a network compute what the saved one does', async () => {
    const [saved, other] = [fire(3), fire(4)];
    const path = await saveCheckpoint(saved, join(folder, 'fire.safetensors'));
    expect(loadParamIntoNet(other, await loadCheckpoint(path))).toEqual([]);
    const x = tensor(generator.normal(3 * 16), { shape: [1, 3, 4, 4], dtype: 'float32' });
    sameBits(saved.forward(x), other.forward(x));
  });

  test('ignores a common beginning of names, and tensors beside the network', () => {
    const saved = fire(5);
    const entries = Object.entries(saved.stateDict());
    const renamed = Object.fromEntries(entries.map(([name, own]) => [`network.${name}`, own]));
    const other = fire(6);
    expect(loadParamIntoNet(other, { ...renamed, global_step: tensor([1]) })).toEqual([]);
    for (const [name, own] of entries) sameBits(own, other.stateDict()[name]);
  });

  test('names the file, the tensor and both shapes, and changes nothing', async () => {
    const network = new Sequential([new Linear({ inFeatures: 2, outFeatures: 3, generator })]);
    const before = Array.from(network.parameters()[0].data);
    const wrong = { '0.weight': tensor([[1, 2, 3]]), '0.bias': tensor([0, 0, 0]) };
    const path = await saveCheckpoint(wrong, join(folder, 'wrong'));
    const checkpoint = await loadCheckpoint(path);
    expect(() => loadParamIntoNet(network, checkpoint)).toThrow(
      `${path}: tensor '0.weight' is float32 [1, 3], expected float32 [3, 2]; ` +
        'build the network with the options it was saved with',
    );
    expect(Array.from(network.parameters()[0].data)).toEqual(before);
  });

  test('is strict about missing tensors unless told otherwise', () => {
    const network = new Sequential([new Linear({ inFeatures: 2, outFeatures: 1, generator })]);
    const partial = { '0.weight': tensor([[7, 8]]) };
    expect(() => loadParamIntoNet(network, partial)).toThrow(
      /do not match those of Sequential; missing: '0\.bias'; load with strict: false .* build the/,
    );
    expect(loadParamIntoNet(network, partial, { strict: false })).toEqual(['0.bias']);
    expect(Array.from(network.parameters()[0].data)).toEqual([7, 8]);
    expect(() => loadParamIntoNet(network, { a: tensor([1]) }, { strict: false })).toThrow(
      /no tensor of this network \(it has 'a'; the network '0\.weight', '0\.bias'\)/,
    );
  });
});

test('saving replaces a file as a whole and leaves nothing else', async () => {
  const own = await mkdtemp(join(folder, 'replace-'));
  const path = join(own, 'w.safetensors');
  await writeFile(path, 'something older');
  await saveCheckpoint({ a: tensor([1, 2, 3]) }, path);
  expect(await readdir(own)).toEqual(['w.safetensors']);
  expect((await loadCheckpoint(path)).tensors.a.toArray()).toEqual([1, 2, 3]);
  const bytes = await readFile(path);
  await expect(saveCheckpoint({ a: tensor([1]) }, join(path, 'x'))).rejects.toThrow(
    /EEXIST|ENOTDIR/,
  );
  expect(await readFile(path)).toEqual(bytes);
});
