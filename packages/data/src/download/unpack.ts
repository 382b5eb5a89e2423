import type { CifarArchive } from '../cifar/archive.ts';
import { DataError } from '../errors.ts';

/** What of a member's header decides whether it is taken. */
interface Member {
  readonly name: string;
  readonly size: number;
  readonly type?: string;
}

/** More than so many bytes are never taken out of an archive; CIFAR's files have 187 MB. */
const MOST_UNPACKED_BYTES = 250e6;

/**
 * Unpacks the files of a `.tar.gz` into `directory/<the archive's folder>`: first into a temporary
 * folder beside it, then, when all are whole, under their names. Other members of the folder are
 * left out; one that lies elsewhere, is a link or has another size refuses the archive.
 *
 * @returns the folder with the files
 * @throws DataError if the archive is not what it should be
 */
export async function unpackArchive(
  file: string,
  directory: string,
  archive: CifarArchive,
): Promise<string> {
  const { createReadStream } = await import('node:fs');
  const { mkdir, mkdtemp, rename, rm } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const { Transform } = await import('node:stream');
  const { pipeline } = await import('node:stream/promises');
  const { createGunzip } = await import('node:zlib');
  const { unpackTar } = await import('modern-tar/fs');

  const temporary = await mkdtemp(join(directory, '.cifar-'));
  const taken = new Set<string>();
  let refusal: string | null = null;
  let unpackedBytes = 0;
  const bounded = new Transform({
    transform(chunk: Uint8Array, _, done) {
      unpackedBytes += chunk.length;
      if (refusal !== null) done(new DataError(`the archive is refused: ${refusal}`));
      else if (unpackedBytes <= MOST_UNPACKED_BYTES) done(null, chunk);
      else
        done(
          new DataError(`the archive is refused: it unpacks to over ${MOST_UNPACKED_BYTES} bytes`),
        );
    },
  });
  try {
    const unpack = unpackTar(temporary, {
      strict: true,
      fmode: 0o644,
      filter(header) {
        refusal ??= complaintAbout(header, archive);
        if (refusal !== null || !isWanted(header, archive)) return false;
        taken.add(header.name);
        return true;
      },
    });
    await pipeline(createReadStream(file), createGunzip(), bounded, unpack);
    if (refusal !== null) throw new DataError(`the archive is refused: ${refusal}`);
    const names = archive.files.all.map(({ name }) => name);
    const missing = names.filter((name) => !taken.has(`${archive.folder}/${name}`));
    if (missing.length > 0) throw new DataError(`the archive lacks ${missing.join(', ')}`);
    const folder = join(directory, archive.folder);
    await mkdir(folder, { recursive: true });
    for (const name of names) {
      await rename(join(temporary, archive.folder, name), join(folder, name));
    }
    return folder;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function isWanted({ name }: Member, { folder, files }: CifarArchive): boolean {
  return files.all.some((file) => name === `${folder}/${file.name}`);
}

/** Why a member has no place in the archive, or null. */
function complaintAbout(
  { name, size, type = 'file' }: Member,
  archive: CifarArchive,
): string | null {
  const segments = name.split('/');
  if (segments[0] !== archive.folder || segments.includes('..')) {
    return `its member '${name}' lies outside ${archive.folder}`;
  }
  if (type !== 'file' && type !== 'directory') return `its member '${name}' is a ${type}`;
  const wanted = archive.files.all.find((file) => name === `${archive.folder}/${file.name}`);
  if (wanted === undefined) return null;
  const { leastBytes, mostBytes } = wanted;
  if (type === 'file' && size >= leastBytes && size <= mostBytes) return null;
  const expected = leastBytes === mostBytes ? leastBytes : `${leastBytes} to ${mostBytes}`;
  return `its member '${name}' has ${size} bytes, expected ${expected}`;
}
