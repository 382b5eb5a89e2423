import { encodeZip } from '@firelight/tensor/formats';

/** Instructions of a pickle as text of Latin-1 and bytes. */
export const code = (...parts: (string | number)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))),
  );
export const unicode = (text: string): Buffer => code('X', text.length, 0, 0, 0, text);

/** The instructions for a tensor of float32: where in storage `0` of `count`, sizes and strides. */
export function tensorCode(
  { offset = 0, count = 4, sizes = 'K\x04\x85', strides = 'K\x01\x85', type = 'FloatStorage' } = {},
  rebuild = '_rebuild_tensor_v2',
): Buffer {
  const id = [
    code('('),
    unicode('storage'),
    code(`ctorch\n${type}\n`),
    unicode('0'),
    unicode('cpu'),
  ];
  return Buffer.concat([
    ...[code(`ctorch._utils\n${rebuild}\n(`), ...id, code('K', count, 'tQK', offset)],
    code(sizes, strides, 0x89, 'ccollections\nOrderedDict\n)RtR'),
  ]);
}

/** A pickle of protocol 2. */
export const pickled = (...parts: Uint8Array[]): Buffer =>
  Buffer.concat([code(0x80, 2), ...parts, code('.')]);
export const dictOf = (name: string, value: Uint8Array): Buffer =>
  Buffer.concat([code('}('), unicode(name), value, code('u')]);

/** A file of `torch.save` with this pickle, and a storage of four floats. */
export function archive(
  pickle: Uint8Array,
  more: readonly [string, Uint8Array][] = [],
): Uint8Array {
  const elements = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  return encodeZip([
    ...[['x/data.pkl', pickle] as const, ['x/data/0', elements] as const],
    ...more.map(([name, bytes]): [string, Uint8Array] => [`x/${name}`, bytes]),
  ]);
}
