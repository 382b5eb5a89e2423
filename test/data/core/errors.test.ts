import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '@firelight/data';
import { expect, test } from 'vitest';
import { unpackArchive } from '../../../packages/data/src/archive/unpack.ts';
import { CIFAR10_BINARY } from '../../../packages/data/src/cifar/archives.ts';

test('a folder that is not there is a DataError too', async () => {
  const missing = join(tmpdir(), 'firelight-no-such-folder');
  await expect(unpackArchive('archive.tar.gz', missing, CIFAR10_BINARY)).rejects.toThrow(DataError);
});
