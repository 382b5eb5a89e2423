import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCheckpoint, prune, SqueezeNet, shareWeights } from '@firelight/nn';
import { COMPACT, exportNames, openLayersModel } from '@firelight/nn/formats';
import { Generator, tensor } from '@firelight/tensor';
import { bytesSource, encodeNpz, encodeZip, readZip } from '@firelight/tensor/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMindSpore } from '../../../packages/nn/src/formats/mindspore/encode.ts';
import { fuzzBounded, fuzzBoundedReader } from '../../helpers/fuzz-bounded.ts';
import { hasInterop, interopPath } from '../../helpers/interop.ts';
import { type Json, jsonMutantsOf } from '../../helpers/json-mutations.ts';
import { MemoryGauge } from '../../helpers/memory-gauge.ts';
import { mutantsOf } from '../../helpers/mutations.ts';
import { readAll } from '../../helpers/read-all.ts';
import { withChecksum } from '../../helpers/with-checksum.ts';

test('what is measured is memory that is held for a moment', async () => {
  const most = await new MemoryGauge().measure(async () => {
    expect(new Uint8Array(100e6).fill(1)[7]).toBe(1);
  });
  expect(most).toBeGreaterThan(90e6);
});

const small = { metaparameters: { baseExpand: 8, expandIncrement: 8 }, numClasses: 2 };
const network = new SqueezeNet({ ...small, generator: new Generator(1) });

const files = (...names: string[]): Uint8Array[] =>
  names.map((name) => readFileSync(interopPath(name)));

/** Files of each format, of other programs and of ours. */
const ORIGINALS: Readonly<Record<string, () => Promise<Uint8Array[]>>> = {
  safetensors: async () => [
    ...files('burn-multi_layer.safetensors', 'hf-sample-overall.safetensors'),
    await encodeCheckpoint({ tensors: network.stateDict(), metadata: { note: 'a' } }),
  ],
  PyTorch: async () => [
    ...files('burn-legacy_with_offsets.pt', 't113-strided-shared.pt', 't113-dtypes.pt'),
    ...files('t113-checkpoint-sgd.pth', 't113-torchscript.pt', 'evil-os-system.pth'),
  ],
  NumPy: async () =>
    files('np-bigendian.npy', 'np-fortran.npy', 'np-state.npz', 'np-compressed.npz'),
  MindSpore: async () => [
    ...files('hand-all.ckpt', 'hand-crc.ckpt', 'mindarmour-lenet-10_1875.ckpt'),
    encodeMindSpore({
      tensors: {
        ...exportNames(network, 'mindspore'),
        learning_rate: tensor(0.1),
        global_step: tensor([3], { dtype: 'int32' }),
      },
      metadata: { model: 'SqueezeNet' },
    }),
  ],
  'Deep Compression': async () => files('compressed_SqueezeNet.net'),
  'ONNX, for its weights': async () =>
    files('t113-lenet-opset11.onnx', 'burn-onnx-conv2d_asymmetric_padding.onnx'),
};

describe.skipIf(!hasInterop)('10,000 changed files (skipped without ../shared/interop)', () => {
  test.each(Object.keys(ORIGINALS))('of %s', async (name) => {
    const result = await fuzzBoundedReader(await ORIGINALS[name](), readAll);
    expect(Math.min(result.read, result.refused)).toBeGreaterThan(100);
  });

  /** The content of one member of an archive, and a reader of the archive with another one instead. */
  async function inMember(archive: Uint8Array, end: string) {
    const members = await readZip(bytesSource(archive, { name: 'file' }));
    const parts = [...members].map(([name, { source, size }]): [string, Uint8Array] => [
      name,
      source.bytes(0, size),
    ]);
    const chosen = parts.find(([name]) => name.endsWith(end))?.[1] ?? new Uint8Array(0);
    // With the right checksum, so that what is behind it is read.
    const read = (changed: Uint8Array): Promise<void> =>
      readAll(encodeZip(parts.map(([name, bytes]) => [name, bytes === chosen ? changed : bytes])));
    return { chosen, read };
  }

  test.each(['t113-strided-shared.pt', 't113-checkpoint-sgd.pth'])(
    'of the pickle in %s',
    async (name) => {
      const [archive] = files(name);
      const { chosen, read } = await inMember(archive, 'data.pkl');
      const result = await fuzzBoundedReader([chosen], read);
      expect(result.refused).toBeGreaterThan(5000);
    },
  );

  test('of an array in an archive of NumPy', async () => {
    const { chosen, read } = await inMember(encodeNpz({ x: tensor([[1, 2, 3]]) }), '.npy');
    const result = await fuzzBoundedReader([chosen], read);
    expect(result.refused).toBeGreaterThan(5000);
  });
});

test('10,000 changed compressed files', async () => {
  const compressed = new SqueezeNet({ ...small, generator: new Generator(2) });
  prune(compressed, { density: 0.3 });
  shareWeights(compressed, { bits: 5 });
  const original = await COMPACT.write({
    tensors: compressed.stateDict(),
    metadata: { note: 'a' },
  });
  const read = (bytes: Uint8Array): Promise<void> => readAll(withChecksum(bytes));
  const result = await fuzzBoundedReader([original], read);
  expect(Math.min(result.read, result.refused)).toBeGreaterThan(100);
});

describe('10,000 changed models of TensorFlow.js', () => {
  const encode = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

  test.each(['convolutions', 'old-form', 'uint8', 'branches', 'nested'])('of %s', async (name) => {
    const path = join(import.meta.dirname, `../../fixtures/tfjs/${name}.json`);
    const found = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly model: Json;
      readonly shards: Readonly<Record<string, string>>;
    };
    const entries = Object.entries(found.shards).map(
      ([shard, text]) => [shard, new Uint8Array(Buffer.from(text, 'base64'))] as const,
    );
    const model = encode(found.model);
    const models = fc.oneof(jsonMutantsOf(found.model).map(encode), mutantsOf(model));
    /** All shards with the bytes of one changed. */
    const shards = fc.oneof(
      ...entries.map(([changed, bytes]) =>
        mutantsOf(bytes).map((mutant) => Object.fromEntries([...entries, [changed, mutant]])),
      ),
    );
    const whole = Object.fromEntries(entries);
    const changed = fc.oneof(
      models.map((mutant) => ({ model: mutant, shards: whole })),
      shards.map((mutant) => ({ model, shards: mutant })),
    );
    const sized = changed.map((given) => {
      const parts = [given.model, ...Object.values(given.shards)];
      return [given, parts.reduce((sum, { length }) => sum + length, 0)] as const;
    });
    const result = await fuzzBounded(
      sized,
      async (given) => {
        const { network: opened } = await openLayersModel(given);
        for (const { shape, array } of Object.values(opened.stateDict())) {
          expect(array.data.length).toBe(shape.reduce((product, n) => product * n, 1));
        }
      },
      { name: 'model.json' },
    );
    expect(Math.min(result.read, result.refused)).toBeGreaterThan(100);
  });
});
