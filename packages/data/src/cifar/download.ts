import { expectThat } from '@firelight/tensor/extend';
import type { Forms } from '../archive/archive.ts';
import { downloadArchive } from '../archive/download.ts';
import type { ArchiveDownloadOptions } from '../archive/fetch-archive.ts';
import { expectOptions } from '../core/check.ts';
import { DataError } from '../core/errors.ts';
import { CIFAR10_FORMS, type CifarArchive } from './archives.ts';
import { CIFAR100_BINARY } from './cifar100-archive.ts';

/** Where an archive of CIFAR comes from and how to follow it. */
export interface DownloadOptions extends ArchiveDownloadOptions {
  /** Which archive of CIFAR-10; both hold the same images. Default `'binary'`. */
  readonly form?: 'binary' | 'python';
}

/**
 * Fetches an archive of CIFAR-10 (binary 162 MB, python 163 MB), checks its MD5 and unpacks its six
 * files into `directory/cifar-10-batches-bin` or `-py`: all of them or none. If they are there, or
 * the archive itself is, nothing is fetched.
 *
 * A download that broke off goes on where it was, now or in a later call. Several processes may ask
 * for the same directory: one fetches, the others wait for it.
 *
 * @returns the folder with the files
 * @throws ValueError if an option is of the wrong type
 * @throws DataError if no server delivers, the archive is not the expected one, or the folder cannot
 *   be written
 */
export function downloadCifar10(directory: string, options: DownloadOptions = {}): Promise<string> {
  return downloadCifar(directory, CIFAR10_FORMS, options);
}

/** The same for CIFAR-100 (binary, 161 MB), into `directory/cifar-100-binary`. */
export function downloadCifar100(
  directory: string,
  options: Omit<DownloadOptions, 'form'> = {},
): Promise<string> {
  return downloadCifar(directory, [CIFAR100_BINARY], options);
}

/**
 * Fetches the form of a data set that `options` names.
 *
 * @throws ValueError if an option is of the wrong type
 */
export async function downloadCifar(
  directory: string,
  forms: Forms<CifarArchive>,
  options: DownloadOptions,
): Promise<string> {
  const { form = 'binary', ...others } = expectOptions('download', options);
  const isForm = form === 'binary' || form === 'python';
  expectThat(isForm, 'download', 'form', "'binary' or 'python'", form);
  const archive = forms[form === 'python' ? 1 : 0];
  if (archive === undefined) {
    throw new DataError(
      `download: ${forms[0].title} is read in its binary form only; leave form out`,
    );
  }
  return downloadArchive(directory, archive, others);
}
