import { fileOfBytes } from '../archive/archive.ts';
import { BOUNDS, type CifarArchive, HOST, withAll } from './archives.ts';
import { parseCifar100Binary } from './cifar100-binary.ts';
import { CIFAR_RECORD_BYTES } from './constants.ts';

/** Records have two labels. */
const CIFAR100_RECORD_BYTES = CIFAR_RECORD_BYTES + 1;

/** @see https://www.cs.toronto.edu/~kriz/cifar.html for the address and the MD5 sum */
export const CIFAR100_BINARY: CifarArchive = {
  title: 'CIFAR-100',
  downloads: [
    {
      name: 'cifar-100-binary.tar.gz',
      url: `${HOST}/cifar-100-binary.tar.gz`,
      md5: '03b5dce01913d631647c71ecec9e9cb8',
    },
  ],
  ...BOUNDS,
  folder: 'cifar-100-binary',
  files: withAll(
    [fileOfBytes('train.bin', 50_000 * CIFAR100_RECORD_BYTES)],
    [fileOfBytes('test.bin', 10_000 * CIFAR100_RECORD_BYTES)],
  ),
  parse: parseCifar100Binary,
};
