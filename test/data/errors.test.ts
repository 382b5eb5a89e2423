import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '@firelight/data';
import { expect, test } from 'vitest';
import { CIFAR10_BINARY } from '../../packages/data/src/cifar/archive.ts';
import { unpackArchive } from '../../packages/data/src/download/unpack.ts';
import { quote } from '../../packages/data/src/errors.ts';

test('what a terminal would obey is escaped in quoted names', () => {
  expect(quote('a"b\n')).toBe('"a\\"b\\n"');
  expect(quote('d\u009b31m \u202ered\u007f')).toBe('"d\\u009b31m \\u202ered\\u007f"');
  expect(quote('x'.repeat(50))).toBe(`"${'x'.repeat(40)}…"`);
});

test('a folder that is not there is a DataError too', async () => {
  const missing = join(tmpdir(), 'firelight-no-such-folder');
  await expect(unpackArchive('archive.tar.gz', missing, CIFAR10_BINARY)).rejects.toThrow(DataError);
});
