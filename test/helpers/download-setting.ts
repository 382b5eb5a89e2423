import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { wholeArchive } from './cifar-archive.ts';
import { closeServers } from './loopback.ts';

/** What tests of downloads share: a whole archive, and an empty folder for each test. */
export interface DownloadSetting {
  readonly whole: Buffer;
  readonly directory: string;
}

/** The name under which an archive arrives, until it is complete. */
export const PART = 'cifar-10-binary.tar.gz.part';

/** Makes the setting before the tests of the file, and clears up after each. */
export function useDownloadSetting(): DownloadSetting {
  const setting: { whole: Buffer; directory: string } = { whole: Buffer.alloc(0), directory: '' };

  beforeAll(async () => {
    setting.whole = await wholeArchive();
  }, 120_000);

  beforeEach(async () => {
    setting.directory = await mkdtemp(join(tmpdir(), 'firelight-download-'));
  });

  afterEach(async () => {
    closeServers();
    await rm(setting.directory, { recursive: true, force: true });
  });

  return setting;
}
