import { DataError } from '../errors.ts';
import { CIFAR_FILE_BYTES, CIFAR_FILES, CIFAR_FOLDER } from './constants.ts';

/** What of a member's header decides whether it is taken. */
interface Member {
  readonly name: string;
  readonly size: number;
  readonly type?: string;
}

/**
 * Unpacks the six `.bin` files of a `.tar.gz` into `directory/cifar-10-batches-bin`: first into a
 * temporary folder beside it, then, when all are whole, under their names. Other members of the
 * folder are left out; one that lies elsewhere, is a link or has another size refuses the archive.
 *
 * @returns the folder with the files
 * @throws DataError if the archive is not what it should be
 */
export async function unpackCifar10(archive: string, directory: string): Promise<string> {
  const { createReadStream } = await import('node:fs');
  const { mkdir, mkdtemp, rename, rm } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const { pipeline } = await import('node:stream/promises');
  const { createGunzip } = await import('node:zlib');
  const { unpackTar } = await import('modern-tar/fs');

  const temporary = await mkdtemp(join(directory, '.cifar-10-'));
  const taken = new Set<string>();
  const refused: string[] = [];
  try {
    const unpack = unpackTar(temporary, {
      strict: true,
      fmode: 0o644,
      filter(header) {
        const complaint = complaintAbout(header);
        if (complaint !== null) refused.push(complaint);
        if (complaint !== null || !isWanted(header)) return false;
        taken.add(baseName(header.name));
        return true;
      },
    });
    await pipeline(createReadStream(archive), createGunzip(), unpack);
    if (refused.length > 0) throw new DataError(`the archive is refused: ${refused[0]}`);
    const missing = CIFAR_FILES.all.filter((name) => !taken.has(name));
    if (missing.length > 0) throw new DataError(`the archive lacks ${missing.join(', ')}`);
    const folder = join(directory, CIFAR_FOLDER);
    await mkdir(folder, { recursive: true });
    for (const name of CIFAR_FILES.all) {
      await rename(join(temporary, CIFAR_FOLDER, name), join(folder, name));
    }
    return folder;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function isWanted({ name }: Member): boolean {
  return CIFAR_FILES.all.some((file) => name === `${CIFAR_FOLDER}/${file}`);
}

/** Why a member has no place in CIFAR-10's archive, or null. */
function complaintAbout(member: Member): string | null {
  const { name, size, type = 'file' } = member;
  const segments = name.split('/');
  if (segments[0] !== CIFAR_FOLDER || segments.includes('..')) {
    return `its member '${name}' lies outside ${CIFAR_FOLDER}`;
  }
  if (type !== 'file' && type !== 'directory') return `its member '${name}' is a ${type}`;
  if (isWanted(member) && (type !== 'file' || size !== CIFAR_FILE_BYTES)) {
    return `its member '${name}' has ${size} bytes, expected ${CIFAR_FILE_BYTES}`;
  }
  return null;
}
