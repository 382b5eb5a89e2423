import { gzipSync } from 'node:zlib';
import { decodeCheckpoint, encodeCheckpoint } from '@firelight/nn';
import { ones } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { safetensorsBytes } from '../../helpers/safetensors-bytes.ts';

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const messageOf = (bytes: Uint8Array): Promise<string> =>
  decodeCheckpoint(bytes, 'file').then(
    () => 'it was read',
    ({ message }: Error) => message,
  );
/** A zip as far as its kind goes: the name of the first member, and the last bytes. */
const zip = (name: string, end = ''): Uint8Array =>
  latin1(`PK\x03\x04${'\0'.repeat(26)}${name}${'\0'.repeat(9000)}PK\x01\x02${end}`);

const kinds: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['nothing', new Uint8Array(0), /^file: is empty, no safetensors file; save or fetch it again$/],
  ['PyTorch', zip('model/data.pkl'), /is of PyTorch \(\.pth, \.pt, \.ckpt\).*; openCheckpoint of/],
  ['TorchScript', zip('m/data.pkl', 'm/code/__torch__.py'), /is TorchScript/],
  [
    'PyTorch 0.4',
    latin1('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.'),
    /before 1\.6/,
  ],
  ['a pickle', latin1('\x80\x04\x95\x10\x01\x01\x01\x01\x01\x01\x01}'), /is a pickle of Python/],
  ['npz', zip('features.0/weight.npy'), /is of NumPy \(\.npz\)/],
  ['npy', latin1("\x93NUMPY\x01\x00v\x00{'descr'"), /is of NumPy \(\.npy\)/],
  ['keras', zip('metadata.json', 'config.json model.weights.h5'), /is of Keras \(\.keras\)/],
  ['zip', zip('readme.txt'), /is a zip archive, .*; unpack it/],
  ['an empty zip', latin1(`PK\x05\x06${'\0'.repeat(18)}`), /is a zip archive/],
  ['HDF5', latin1('\x89HDF\r\n\x1a\n\0\0\0\0'), /is HDF5 \(\.h5\)/],
  ['gzip', gzipSync(new Uint8Array(100)), /is packed by gzip, .*; unpack it/],
  ['zstd', latin1('\x28\xb5\x2f\xfd\x04\x88\x01\x02'), /is packed, /],
  ['tar', latin1(`sys_info${'\0'.repeat(249)}ustar`), /is a tar archive/],
  ['PNG', latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), /is a PNG picture/],
  ['JPEG', latin1('\xff\xd8\xff\xe0\0\x10JFIF'), /is a JPEG picture/],
  ['GGUF', latin1('GGUF\x03\0\0\0\x10\0\0\0'), /is GGUF/],
  ['ONNX', latin1('\x08\x07\x12\x07pytorch\x1a\x06'), /is ONNX/],
  ['ONNX, ir 10', latin1('\x08\x0a\x12\x07pytorch\x1a\x06'), /is ONNX/],
  [
    'MindSpore',
    latin1('\x0a\xfd\x04\x0a\x0cconv1.weight\x12\xec\x04'),
    /is of MindSpore \(\.ckpt\)/,
  ],
  ['MindSpore, encrypted', latin1('\xd8\x5e\x3a\x7f\x10\x01\x02\x03\x04'), /MindSpore, encrypted/],
  ['a failed download', latin1('\n<!DOCTYPE html>\n<html>'), /is a web page, .*; fetch it again/],
  ['Git LFS', latin1('version https://git-lfs.github.com/spec/v1\noid sha256:4'), /git lfs pull/],
  [
    'the index of shards',
    latin1('{\n "metadata": {},\n "weight_map": {}}'),
    /is the index of a model/,
  ],
  [
    'TensorFlow.js',
    latin1('{"format":"layers-model","modelTopology":{}}'),
    /is a model of TensorFlow\.js \(model\.json\), .*; openLayersModel of @firelight\/nn\/formats reads it/,
  ],
  ['JSON', latin1('[1, 2, 3, 4]'), /is JSON text/],
  ['nobody knows what', latin1('Dear reader, this is a letter.'), /so it is no whole safetensors/],
];

test.each(kinds)('%s is called by its name', async (_, bytes, message) => {
  expect(await messageOf(bytes)).toMatch(message);
});

test('a cut safetensors file is not taken for another kind, whatever its length begins with', async () => {
  const starts = [0x80, 0x02, 0x8a, 0x08, 0x12, 0x0a, 0x7b, 0x3c, 0x1f, 0x8b, 0x50, 0x4b, 0x42];
  for (const low of starts) {
    for (const high of [0x02, 0x07, 0x0a, 0x12, 0x22, 0x4b, 0x8b, 0xd8]) {
      const length = low + 256 * high;
      const text = JSON.stringify({ x: { dtype: 'U8', shape: [9], data_offsets: [0, 9] } });
      const whole = safetensorsBytes(text.padEnd(length), 9);
      expect(await messageOf(whole.subarray(0, -1))).toMatch(/has 8, so it is cut off$/);
      expect(await messageOf(whole.subarray(0, 40))).toMatch(/so it is no whole safetensors file$/);
    }
  }
  const ours = await encodeCheckpoint({ tensors: { x: ones([9]) }, metadata: {} });
  expect(await messageOf(ours.subarray(0, 20))).toMatch(/so it is no whole safetensors file$/);
});
