import { readFileSync } from 'node:fs';
import { CheckpointError, decodeCheckpoint } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { sum } from '@firelight/tensor';
import { bytesSource, encodeZip, readZip } from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { freeZip } from '../../helpers/free-zip.ts';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { digestOf, expectedOf, hasInterop, interopPath } from '../../helpers/interop.ts';
import {
  archive,
  code,
  dictOf,
  pickled,
  tensorCode,
  unicode,
} from '../../helpers/pytorch-archive.ts';

/** What PyTorch says of a tensor: dtype, shape, strides, digest, sum. */
type Expected = [dtype: string, shape: number[], strides: number[], digest: string, sum: number];

/** Opens it and looks at all tensors. */
async function readAll(bytes: Uint8Array): Promise<void> {
  const { tensors, optimizer } = await openCheckpoint(bytes, { name: 'file' });
  for (const tensor of Object.values({ ...tensors, ...optimizer?.state })) tensor.toArray();
}

describe.skipIf(!hasInterop)('files of PyTorch in ../shared/interop (skipped without it)', () => {
  const names = [
    ...['burn-legacy_with_offsets.pt', 'captum-cifar_torchvision.pt', 't113-strided-shared.pt'],
    't113-checkpoint-sgd.pth',
  ];
  test.each(names)('%s', async (name) => {
    const { tensors } = await openCheckpoint(interopPath(name));
    const expected = Object.entries(expectedOf(name).torch as Record<string, Expected>)
      .filter(([key, value]) => Array.isArray(value) && !/^(optimizer|rng)/.test(key))
      .map(([key, value]): [string, Expected] => [key.replace('state_dict/', ''), value]);
    expect(Object.keys(tensors)).toEqual(expected.map(([key]) => key));
    for (const [key, [dtype, shape, , digest]] of expected) {
      const x = tensors[key];
      expect([key, x.dtype, x.shape, digestOf(x)]).toEqual([key, dtype, shape, digest]);
    }
  });

  test('t113-dtypes.pt: every dtype, of which one that is not read disturbs no other', async () => {
    const { tensors } = await openCheckpoint(interopPath('t113-dtypes.pt'));
    const expected = expectedOf('t113-dtypes.pt').torch as Record<string, Expected>;
    for (const [key, [dtype, shape, , digest]] of Object.entries(expected)) {
      if (['int16', 'int64_big', 'c64'].includes(key)) continue;
      const x = tensors[key];
      expect([key, x.dtype, x.shape, digestOf(x)]).toEqual([key, dtype, shape, digest]);
    }
    expect([tensors.int16.dtype, sum(tensors.int16).item()]).toEqual(['int32', 100]);
    expect(() => tensors.int64_big).toThrow(/'int64_big' is 9007199254740993, which no dtype/);
    expect(() => tensors.c64).toThrow(/'c64' is of complex64, which is not read; save \.real and/);
  });

  test('t113-checkpoint-sgd.pth: what else is in it', async () => {
    const { metadata, notes, optimizer } = await openCheckpoint(
      interopPath('t113-checkpoint-sgd.pth'),
    );
    expect(metadata).toEqual({ epoch: '3', best_acc: '91.25', arch: 'squeezenet' });
    expect(notes).toEqual([
      "the weights are in 'state_dict'",
      "left out: 'scheduler', 'args', 'classes' … and 1 more",
    ]);
    const parameters = [
      ...['features.0.weight', 'features.0.bias', 'features.1.weight', 'features.1.bias'],
      ...['classifier.weight', 'classifier.bias'],
    ];
    const expected = expectedOf('t113-checkpoint-sgd.pth').torch as Record<string, Expected>;
    parameters.forEach((name, i) => {
      const [, shape, , digest] = expected[`optimizer/state/${i}/momentum_buffer`];
      for (const kind of ['velocity', 'moments']) {
        const x = optimizer?.state[`${kind}.${name}`];
        expect(x?.shape).toEqual(shape);
        expect(x === undefined ? '' : digestOf(x)).toBe(digest);
      }
    });
    expect(optimizer?.groups).toMatchObject([
      {
        parameters,
        settings: { lr: 0.1, momentum: 0.9, weight_decay: 0.0005, nesterov: true, foreach: null },
      },
    ]);
  });

  test.each([
    [
      'evil-os-system.pth',
      /it asks for 'posix.system', which is refused; load the file in PyTorch, if/,
    ],
    ['t113-torchscript.pt', /is TorchScript, which holds code; load it in PyTorch with torch.jit/],
  ])('%s is refused', async (name, message) => {
    const opened = openCheckpoint(interopPath(name));
    await expect(opened).rejects.toThrow(CheckpointError);
    await expect(opened).rejects.toThrow(message);
  });

  test('without openCheckpoint they are called by their name', async () => {
    const bytes = readFileSync(interopPath('captum-cifar_torchvision.pt'));
    await expect(decodeCheckpoint(bytes, 'file')).rejects.toThrow(
      /is of PyTorch .*; openCheckpoint of @firelight\/nn\/formats reads it/,
    );
  });

  test('changed files are read or refused', async () => {
    const files = [
      'burn-legacy_with_offsets.pt',
      't113-strided-shared.pt',
      't113-checkpoint-sgd.pth',
    ];
    const originals = files.map((name) => readFileSync(interopPath(name)));
    const { refused } = await fuzzReader(originals, readAll, { numRuns: 150 });
    expect(refused).toBeGreaterThan(50);
    // The checksums of zip refuse most; with right ones the pickles are looked at.
    const members = await readZip(bytesSource(originals[2], { name: 'file' }));
    const parts = [...members].map(
      ([name, { source, size }]) => [name, source.bytes(0, size)] as const,
    );
    const pickle = parts.find(([name]) => name.endsWith('data.pkl'))?.[1] ?? new Uint8Array(0);
    const again = (changed: Uint8Array): Promise<void> =>
      readAll(
        encodeZip(
          parts.map(([name, bytes]) => [name, bytes === pickle ? changed : bytes] as const),
        ),
      );
    await fuzzReader([pickle], again, { numRuns: 150 });
  });
});

test('elements of a big-endian machine are turned round', async () => {
  const elements = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer).swap32();
  const file = encodeZip([
    ['x/data.pkl', pickled(dictOf('a', tensorCode()))],
    ['x/byteorder', code('big')],
    ['x/data/0', elements],
  ]);
  expect((await openCheckpoint(file)).tensors.a.toArray()).toEqual([1, 2, 3, 4]);
});

test('the members that PyTorch 2 adds, with sizes behind them, are passed over', async () => {
  const content: [name: string, bytes: Uint8Array][] = [
    ['data.pkl', pickled(dictOf('a', tensorCode()))],
    ['.format_version', code('1')],
    ['.storage_alignment', code('64')],
    ['byteorder', code('little')],
    ['data/0', Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)],
    ['version', code('3\n')],
    ['.data/serialization_id', code('0123456789')],
  ];
  // Sizes of 0 in local headers, and bit 3 for the descriptors.
  const streamed = { flags: 0x808, localSizes: false };
  const file = freeZip(
    content.map(([name, bytes]) => ({ name: `model/${name}`, content: bytes, ...streamed })),
  );
  expect((await openCheckpoint(file)).tensors.a.toArray()).toEqual([1, 2, 3, 4]);
});

test('dtypes of PyTorch 2 without a storage of their own are read', async () => {
  const id = [
    code('('),
    unicode('storage'),
    code('ctorch.storage\nUntypedStorage\n'),
    unicode('0'),
  ];
  const value = Buffer.concat([
    ...[code('ctorch._utils\n_rebuild_tensor_v3\n('), ...id, unicode('cpu'), code('K\x10tQK\0')],
    code('K\x08\x85K\x01\x85', 0x89, ')ctorch\nuint16\ntR'),
  ]);
  const { tensors } = await openCheckpoint(archive(pickled(dictOf('a', value))));
  expect([tensors.a.dtype, tensors.a.shape]).toEqual(['uint16', [8]]);
  expect(tensors.a.toArray()).toEqual([0, 0x3f80, 0, 0x4000, 0, 0x4040, 0, 0x4080]);
});

describe('refused by name, with the remedy', () => {
  const state = pickled(dictOf('a', tensorCode()));
  const tar = Buffer.alloc(1024);
  tar.write('sys_info');
  tar.write('ustar', 257);
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    [
      'a whole module',
      archive(pickled(code('ctorch.nn.modules.linear\nLinear\n'))),
      /'torch.nn.modules.linear.Linear', .* holds a whole module, with its code; .*state_dict\(\)/,
    ],
    ['a module of the user', archive(pickled(code('c__main__\nNet\n'))), /holds a whole module/],
    ['TorchScript', archive(state, [['constants.pkl', state]]), /is TorchScript/],
    [
      'a tar',
      tar,
      /is a tar archive of PyTorch before 0\.1\.10; load it in PyTorch and save it again/,
    ],
    ['a set', archive(pickled(code('c__builtin__\nset\n'))), /'__builtin__.set', which is refused/],
    [
      'arguments',
      archive(pickled(code('cargparse\nNamespace\n'))),
      /'argparse.Namespace', which is/,
    ],
    ['no tensors', archive(pickled(code('}'))), /holds no tensors; save torch.save/],
    ['two pickles', archive(state, [['y/data.pkl', state]]), /has not one data\.pkl/],
    [
      'an order of bytes',
      archive(state, [['byteorder', code('middle')]]),
      /neither little nor big/,
    ],
    ['what is no storage', archive(pickled(code('K\x01Q'))), /asks for what is no storage/],
    [
      'no storage',
      archive(pickled(dictOf('a', code('ctorch._utils\n_rebuild_tensor_v2\n)R')))),
      /must have a storage/,
    ],
    [
      'a parameter of nothing',
      archive(pickled(code('ctorch._utils\n_rebuild_parameter\n)R'))),
      /be made of a tensor/,
    ],
    [
      'a dtype',
      archive(pickled(code('ctorch._utils\n_rebuild_tensor_v3\n)R'))),
      /a dtype that is not read/,
    ],
    [
      'a tensor beyond its storage',
      archive(pickled(dictOf('a', tensorCode({ offset: 1 })))),
      /tensor 'a' of shape \[4\] ends at byte 20 of its storage '0', which has 16; the file is cut/,
    ],
    [
      'a storage beyond its member',
      archive(pickled(dictOf('a', tensorCode({ count: 5, sizes: 'K\x05\x85' })))),
      /ends at byte 20 of its storage/,
    ],
    [
      'numbers that are shown very often',
      archive(
        pickled(
          dictOf('a', tensorCode({ sizes: 'J\xff\xff\xff\x7fK\x04\x86', strides: 'K\0K\x01\x86' })),
        ),
      ),
      /would take 34359738352 bytes, of a file of \d+: they show the same numbers many times/,
    ],
    [
      'more numbers than there are',
      archive(
        pickled(
          dictOf(
            'a',
            tensorCode({
              sizes: `(${'J\xff\xff\xff\x7f'.repeat(9)}t`,
              strides: `(${'K\0'.repeat(9)}t`,
            }),
          ),
        ),
      ),
      /must have a storage, an offset, sizes/,
    ],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    const opened = openCheckpoint(bytes, { name: 'file' });
    await expect(opened).rejects.toThrow(CheckpointError);
    await expect(opened).rejects.toThrow(/^file: /);
    await expect(opened).rejects.toThrow(message);
  });

  test('lists that stand in each other very often', async () => {
    /** Lists of which each has the one before so often. */
    const nested = (depth: number, times: number): Promise<unknown> => {
      const levels = Array.from({ length: depth }, (_, i) =>
        code('](', `h${String.fromCharCode(i)}`.repeat(times), 'eq', i + 1, '0'),
      );
      return openCheckpoint(archive(pickled(code(']q\0', '0'), ...levels, code('h', depth))));
    };
    await expect(nested(7, 1000)).rejects.toThrow(/hold each other too often; save a state dict/);
    await expect(nested(9, 1)).rejects.toThrow(/hold each other more than 8 deep; save a state/);
    const pairs = code('](', '](K\x01Ne'.repeat(1000), 'eq\x02', '0');
    const call = 'ccollections\nOrderedDict\nh\x02\x85R0';
    const calls = openCheckpoint(archive(pickled(pairs, code(call.repeat(1e5), 'N'))));
    await expect(calls).rejects.toThrow(/more objects than its length explains/);
  });

  test('an optimizer of more parameters than any network has', async () => {
    const numbers = code('](', 'K\0'.repeat(2000), 'eq\x01', '0');
    const group = Buffer.concat([dictOf('params', code('h\x01')), code('q\x02', '0')]);
    const groups = code('](', 'h\x02'.repeat(2000), 'eq\x03', '0');
    const optimizer = [
      dictOf('state', code('}')),
      code('('),
      unicode('param_groups'),
      code('h\x03u'),
    ];
    const content = [code('}('), unicode('net'), dictOf('a', tensorCode()), unicode('optimizer')];
    const value = [numbers, group, groups, ...content, ...optimizer, code('u')];
    const { notes, optimizer: found } = await openCheckpoint(archive(pickled(...value)));
    expect(notes?.at(-1)).toMatch(/left out: the optimizer, whose groups have too many parameters/);
    expect(found).toBeUndefined();
  });

  test('a quantized tensor, when it is asked for', async () => {
    const { tensors } = await openCheckpoint(
      archive(pickled(dictOf('a', tensorCode({ type: 'QInt8Storage' }, '_rebuild_qtensor')))),
    );
    expect(() => tensors.a).toThrow(
      /tensor 'a' is of qint8, which is not read; save tensor.dequan/,
    );
  });
});
