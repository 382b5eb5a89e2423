/** Bytes of text in Latin-1. */
const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
/** SHORT_BINSTRING. */
const string = (text: string): number[] => [0x55, text.length, ...ascii(text)];
const global = (module: string, name: string): number[] => ascii(`c${module}\n${name}\n`);
const int32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 255);

/**
 * A pickle as Python 2 writes a batch of CIFAR-10: the dict of `labels` and the array `data`.
 *
 * @param options `reconstruct` replaces the name of the function that makes the array
 */
export function pythonBatch(
  labels: readonly number[],
  pixels: Uint8Array,
  {
    reconstruct = ['numpy.core.multiarray', '_reconstruct'],
  }: { reconstruct?: [string, string] } = {},
): Uint8Array {
  const array = [
    ...global(...reconstruct),
    ...global('numpy', 'ndarray'),
    ...[0x4b, 0, 0x85], // the tuple (0,)
    ...string('b'),
    ...[0x87, 0x52], // TUPLE3, REDUCE
    ...[0x28, 0x4b, 1], // MARK, version 1
    ...[0x4a, ...int32(labels.length), 0x4d, 0, 12, 0x86], // the shape (N, 3072)
    ...global('numpy', 'dtype'),
    ...string('u1'),
    ...[0x4b, 0, 0x4b, 1, 0x87, 0x52],
    ...[0x28, 0x4b, 3, ...string('|'), 0x4e, 0x4e, 0x4e, 0x4a, ...int32(-1), 0x4a, ...int32(-1)],
    ...[0x4b, 0, 0x74, 0x62], // TUPLE, BUILD of the type
    0x89, // row-major
    ...[0x54, ...int32(pixels.length)],
  ];
  const start = [
    ...[0x80, 2, 0x7d, 0x71, 1, 0x28], // PROTO, EMPTY_DICT, BINPUT, MARK
    ...string('labels'),
    ...[0x5d, 0x71, 2, 0x28, ...labels.flatMap((label) => [0x4b, label]), 0x65],
    ...string('data'),
    ...array,
  ];
  const end = [0x74, 0x62, 0x75, 0x2e]; // TUPLE, BUILD, SETITEMS, STOP
  return Uint8Array.from([...start, ...pixels, ...end]);
}
