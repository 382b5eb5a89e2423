import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CIFAR10_MEAN, CIFAR10_STD } from '@firelight/data';
import { SqueezeNet } from '@firelight/nn';
import { openCheckpoint } from '@firelight/nn/formats';
import { conv2d, Generator, type Tensor, tensor } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageNetNetworkOf } from '../../examples/support/imagenet-network.ts';
import { openWeights } from '../../examples/support/open-weights.ts';
import { startFrom } from '../../examples/support/pretrained.ts';
import { runExample } from '../helpers/run-example.ts';
import { sharedPath } from '../helpers/shared.ts';

const CAFFE = sharedPath('interop/compressed_SqueezeNet.net');
const ZOO = sharedPath('squeezenet/squeezenet1.1_nchw/weights');

const create = (version: '1.0' | '1.1', isOfImageNet: boolean): SqueezeNet =>
  new SqueezeNet({
    numClasses: 10,
    version,
    generator: new Generator(5),
    ...(isOfImageNet ? {} : { stem: 'cifar', batchNorm: true, bypass: 'simple' }),
  });

/** A picture of 8 × 8 bytes, `[1, 3, 8, 8]`, as a network takes them. */
const picture = (of: (byte: number, channel: number) => number, isTurned = false): Tensor => {
  const bytes = Array.from({ length: 192 }, (_, i) => (i * 97 + 31) % 256);
  const values = bytes.map((_, i) => {
    const channel = Math.floor(i / 64);
    const from = isTurned ? 2 - channel : channel;
    return of(bytes[from * 64 + (i % 64)], channel);
  });
  return tensor(values, { shape: [1, 3, 8, 8] });
};

const ours = (): Tensor =>
  picture((byte, channel) => (byte / 255 - CIFAR10_MEAN[channel]) / CIFAR10_STD[channel]);

describe.skipIf(CAFFE === null || ZOO === null)(
  'weights of ImageNet (skipped without ../shared/squeezenet and ../shared/interop)',
  () => {
    test.each([
      ['1.0', CAFFE as string, ['it was trained with --pooling ceil, which this run is not']],
      ['1.1', ZOO as string, []],
    ] as const)(
      'SqueezeNet %s sees our pictures as it saw those of ImageNet',
      async (version, path, hints) => {
        const network = create(version, true);
        const before = { ...network.stateDict() };
        const head = [...before['final_conv.weight'].data];
        const [taken, fresh, ...others] = await startFrom(path, network);
        expect(others).toEqual(hints);
        expect(taken).toContain('took 50 of 52 tensors');
        expect(fresh).toBe("new: 'final_conv.weight', 'final_conv.bias'");
        const own = network.stateDict();
        expect([...own['final_conv.weight'].data]).toEqual(head);

        const learned = imageNetNetworkOf(await openWeights(path));
        const theirs = learned.network.stateDict();
        const inner = 'features.3.expand3x3.weight';
        expect([...own[inner].data]).toEqual([...theirs[inner].data]);
        const { scale, mean, std, channelOrder } = learned.preprocessing;
        const input = picture(
          (byte, channel) => (byte * scale - mean[channel]) / std[channel],
          channelOrder === 'BGR',
        );
        // Without zeros around the pictures they are equal.
        const expected = conv2d(input, theirs['features.0.weight'], theirs['features.0.bias']);
        const found = conv2d(ours(), own['features.0.weight'], own['features.0.bias']);
        const largest = Math.max(...Array.from(expected.data, Math.abs));
        found.data.forEach((value, i) => {
          expect(Math.abs(value - expected.data[i])).toBeLessThan(1e-5 * largest);
        });
      },
    );

    test('gives its convolutions to a network with batch norm', async () => {
      const network = create('1.1', false);
      const [taken, fresh] = await startFrom(ZOO as string, network);
      expect(taken).toContain('took 50 of ');
      expect(fresh).toContain("'features.0_bn.weight'");
    });

    test('are refused by another network, which keeps what it has', async () => {
      const network = create('1.1', false);
      const before = [...network.stateDict()['features.3.squeeze.weight'].data];
      await expect(startFrom(CAFFE as string, network)).rejects.toThrow(
        /is of SqueezeNet\(\{ version: '1.0' \}\) of caffe, where features\.0\.weight is .* set --version/,
      );
      expect([...network.stateDict()['features.3.squeeze.weight'].data]).toEqual(before);
    });
  },
);

describe('npm run train -- --pretrained', () => {
  const FEW = ['--synthetic', '--train-size', '32', '--test-size', '16', '--batch-size', '16'];
  const SHORT = ['--epochs', '1', '--warmup-epochs', '0', '--checkpoint-every', '1'];
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'firelight-pretrained-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const train = (name: string, ...flags: string[]) =>
    runExample('train-cifar.ts', [...flags, '--out', join(folder, name)]);
  const lastOf = async (name: string) => {
    const checkpoints = join(folder, name, 'checkpoints');
    const files = (await readdir(checkpoints)).filter((file) => file.includes('-1_2.'));
    return join(checkpoints, files[0]);
  };

  test('goes on from another run, with frozen features; and resumes', async () => {
    expect((await train('first', ...FEW, ...SHORT)).code).toBe(0);
    const first = await lastOf('first');
    const flags = ['--pretrained', first, '--freeze', 'features.**', '--seed', '3'];
    const second = await train('second', ...FEW, ...SHORT, ...flags);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('weights: SqueezeNet of a run: took');
    const [before, after] = [first, await lastOf('second')].map((file) => openCheckpoint(file));
    const [{ tensors: old }, { tensors: now }] = [await before, await after];
    const weights = Object.keys(old).filter((name) => name.endsWith('.weight'));
    for (const name of weights) {
      const isSame = now[name].data.every((value, i) => value === old[name].data[i]);
      expect(isSame, name).toBe(name.startsWith('features.'));
    }
    await rm(join(folder, 'first'), { recursive: true });
    const resumed = await train('second', '--resume');
    expect(resumed.code).toBe(0);
    const other = await train('second', '--resume', '--pretrained', 'x');
    expect(other.code).not.toBe(0);
    expect(other.stderr).toContain('--pretrained begins a new run; leave --resume out');
  }, 120_000);

  test('says in a sentence what is wrong', async () => {
    const missing = await train('third', ...FEW, '--pretrained', join(folder, 'none.pth'));
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toMatch(/^error: .*none\.pth/);
    const pattern = await train('fourth', ...FEW, '--freeze', 'nothing.*');
    expect(pattern.stderr).toMatch(/^error: freeze: .*'nothing\.\*'; near are/);
  }, 60_000);
});
