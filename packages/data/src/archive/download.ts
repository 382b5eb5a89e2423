import { expectThat } from '@firelight/tensor/extend';
import { expectOptions, expectText } from '../core/check.ts';
import type { Archive } from './archive.ts';
import type { ArchiveDownloadOptions } from './fetch-archive.ts';

/**
 * Fetches what an archive describes, checks each MD5 and puts the files into `directory/folder`: all
 * of an archive's files or none. What is there already is not fetched again.
 *
 * A download that broke off goes on where it was, now or in a later call. Several processes may ask
 * for the same directory: one fetches, the others wait for it.
 *
 * @returns the folder with the files
 * @throws ValueError if an option is of the wrong type
 * @throws DataError if no server delivers, the archive is not the expected one, or the folder cannot
 *   be written
 */
export async function downloadArchive(
  directory: string,
  archive: Archive,
  options: ArchiveDownloadOptions = {},
): Promise<string> {
  checkOptions(directory, options);
  // Loaded when it is needed: pages, which have their files in memory, carry none of it.
  const { fetchArchive } = await import('./fetch-archive.ts');
  return fetchArchive(directory, archive, options);
}

function checkOptions(directory: string, options: ArchiveDownloadOptions): void {
  expectText('download: directory', directory);
  const { urls = [], md5, onProgress, ...others } = expectOptions('download', options);
  const areUrls = Array.isArray(urls) && urls.every((url) => typeof url === 'string');
  expectThat(areUrls, 'download', 'urls', 'a list of addresses', urls);
  if (md5 !== undefined) expectText('download: md5', md5);
  const isListener = typeof (onProgress ?? Object) === 'function';
  expectThat(isListener, 'download', 'onProgress', 'a function or null', onProgress);
  const { timeoutMs = 1, retries = 0, retryDelayMs = 0 } = others;
  for (const [name, value] of Object.entries({ timeoutMs, retries, retryDelayMs })) {
    const isRight = Number.isFinite(value) && value >= 0;
    expectThat(isRight, 'download', name, 'a finite number ≥ 0', value);
  }
}
