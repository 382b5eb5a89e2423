import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CheckpointError, type FileContent } from '@firelight/nn';
import { openCheckpoint, SONGHAN } from '@firelight/nn/formats';
import { bytesSource } from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { readAll } from '../../helpers/read-all.ts';
import { sharedPath } from '../../helpers/shared.ts';

const path = sharedPath('interop', 'compressed_SqueezeNet.net');
const bytes = path === null ? new Uint8Array() : new Uint8Array(readFileSync(path));
const read = (changed: Uint8Array) =>
  SONGHAN.read(bytesSource(changed, { name: 'file', error: CheckpointError })) as FileContent;

/** A copy with a number of stored weights or a byte changed. */
function changed(change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  change(new DataView(copy.buffer));
  return copy;
}

describe.skipIf(path === null)(
  "Deep Compression's SqueezeNet (skipped without ../shared/interop)",
  () => {
    test('has the tensors that others decode, under the names of Caffe', async () => {
      const listed = sharedPath('interop', 'deep-compression-expected.json') as string;
      const expected = Object.values<[shape: number[], digits: string, sum: number]>(
        JSON.parse(readFileSync(listed, 'utf8')),
      );
      const { tensors, origin } = await openCheckpoint(path as string);
      expect(origin).toBe('caffe');
      const names = Object.keys(tensors);
      expect(names.slice(0, 4)).toEqual([
        'conv1.weight',
        'conv1.bias',
        'fire2/squeeze1x1.weight',
        'fire2/squeeze1x1.bias',
      ]);
      expect(names.slice(-3)).toEqual(['fire9/expand3x3.bias', 'conv10.weight', 'conv10.bias']);
      expect(names).toHaveLength(expected.length);
      // The list has other names, in the same order.
      for (const [i, [shape, digits]] of expected.entries()) {
        const found = tensors[names[i]];
        const { buffer, byteOffset, byteLength } = found.data;
        const digest = createHash('sha256').update(new Uint8Array(buffer, byteOffset, byteLength));
        expect([found.shape, digest.digest('hex').slice(0, 16)], names[i]).toEqual([shape, digits]);
      }
    });

    test.each<[what: string, file: () => Uint8Array, message: RegExp]>([
      ['nothing', () => bytes.subarray(0, 50), /^file: does not begin with the numbers of stored/],
      [
        'more weights than there are',
        () => changed((view) => view.setUint32(0, 14113, true)),
        /^file: does not begin with the numbers of stored weights of SqueezeNet 1.0/,
      ],
      ['no weights', () => changed((view) => view.setUint32(4, 0, true)), /^file: does not begin/],
      [
        'a cut file',
        () => bytes.subarray(0, -1),
        /^file: needs 675763 bytes for the weights that it counts and has 675762, so it is cut off; fetch/,
      ],
      [
        'a long file',
        () => Uint8Array.from([...bytes, 0]),
        /has 675764, so it is too long; fetch it again/,
      ],
    ])('%s is refused', (_, file, message) => {
      expect(() => read(file())).toThrow(CheckpointError);
      expect(() => read(file())).toThrow(message);
    });

    test('a weight beyond the end is refused where it is asked for', () => {
      // The gaps of conv1, which end before the codebook of fire2, all become 15.
      const count = new DataView(bytes.buffer).getUint32(0, true);
      const gaps = 4 * 26 + 4 * 256 + 4 * 96 + count;
      const damaged = changed((view) =>
        new Uint8Array(view.buffer).fill(255, gaps, gaps + count / 2),
      );
      const { tensors } = read(damaged);
      expect(tensors['fire2/squeeze1x1.weight'].shape).toEqual([16, 96, 1, 1]);
      expect(() => tensors['conv1.weight']).toThrow(
        "file: weight 882 of 'conv1' would be element 14127 of [96, 3, 7, 7], so the file is damaged",
      );
    });

    test('files with changed bytes are read or refused', async () => {
      const options = { numRuns: 60 };
      const { refused } = await fuzzReader([bytes], readAll, options);
      expect(refused).toBeGreaterThan(0);
    });
  },
);
