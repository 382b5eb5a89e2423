import { quote } from '@firelight/tensor/extend';
import type { TarHeader } from 'modern-tar';
import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import { type Archive, type ArchiveFile, allFiles, hasRightSize, sizesOf } from './archive.ts';
import { reasonOf } from './fetch-file.ts';

/** The same streams as those of `node:stream/web`, whose types are declared once more. */
type DomStream<Chunk> = ReadableStream<Chunk>;

/** More than so many bytes are never taken out of an archive that does not say how many it has. */
const MOST_UNPACKED_BYTES = 2e9;

/**
 * Unpacks the files of a `.tar.gz` into `directory/<the archive's folder>`: first into a temporary
 * folder beside it, then, when all are whole, under their names. Other members of the folder are
 * left out; one that lies elsewhere, is a link, comes twice or has another size refuses the archive.
 *
 * @returns the folder with the files
 * @throws DataError if the archive is not what it should be, or a file cannot be written
 */
export async function unpackArchive(
  file: string,
  directory: string,
  archive: Archive,
): Promise<string> {
  const { mkdir, mkdtemp, rename, rm } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');

  let temporary: string | null = null;
  try {
    temporary = await mkdtemp(join(directory, '.unpacking-'));
    await takeMembers(file, temporary, archive);
    const folder = join(directory, archive.folder);
    await mkdir(folder, { recursive: true });
    for (const { name } of allFiles(archive)) {
      await rename(join(temporary, name), join(folder, name));
    }
    return folder;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file} cannot be unpacked (${reasonOf(error)})`, { cause: error });
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  }
}

/** Writes the wanted members into `folder`, one after the other; when it ends, no write goes on. */
async function takeMembers(file: string, folder: string, archive: Archive): Promise<void> {
  const { writeFile } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const { ReadableStream } = nodeModule('node:stream/web');
  const { createTarDecoder } = await import('modern-tar');

  const files = allFiles(archive);
  const missing = new Set(files);
  const { mostUnpackedBytes = MOST_UNPACKED_BYTES } = archive;
  const tar = ReadableStream.from(gunzip(file, mostUnpackedBytes)) as DomStream<Uint8Array>;
  for await (const { header, body } of tar.pipeThrough(createTarDecoder({ strict: true }))) {
    const wanted = files.find(({ name }) => header.name === `${archive.folder}/${name}`);
    const complaint = complaintAbout(header, archive.folder, wanted);
    if (complaint !== null) throw refusal(`its member ${quote(header.name)} ${complaint}`);
    if (wanted === undefined) {
      // Not body.cancel(), which in modern-tar 0.8.6 can end the next member instead.
      for await (const _ of body);
    } else if (missing.delete(wanted)) {
      await writeFile(join(folder, wanted.name), body);
    } else {
      throw refusal(`its member ${quote(header.name)} comes twice`);
    }
  }
  if (missing.size > 0) {
    throw refusal(`it lacks ${[...missing].map(({ name }) => name).join(', ')}`);
  }
}

function refusal(reason: string): DataError {
  return new DataError(`the archive is refused: ${reason}`);
}

/** What a file unzips to, up to the most that is taken. */
async function* gunzip(file: string, mostBytes: number): AsyncGenerator<Uint8Array> {
  const { createReadStream } = nodeModule('node:fs');
  const { pipeline } = nodeModule('node:stream');
  const { createGunzip } = nodeModule('node:zlib');
  let bytes = 0;
  // The loop sees every error, so the callback has nothing to do.
  for await (const chunk of pipeline(createReadStream(file), createGunzip(), () => {})) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      throw refusal(`it unpacks to over ${mostBytes} bytes`);
    }
    yield chunk;
  }
}

/** Why a member has no place in the archive, or null. */
function complaintAbout(
  { name, size, type = 'file' }: TarHeader,
  folder: string,
  wanted: ArchiveFile | undefined,
): string | null {
  const segments = name.split('/');
  if (segments[0] !== folder || segments.includes('..')) return `lies outside ${folder}`;
  if (type !== 'file' && type !== 'directory') return `is a ${type}`;
  if (wanted === undefined) return null;
  if (type === 'file' && hasRightSize(wanted, size)) return null;
  return `has ${size} bytes, expected ${sizesOf(wanted)}`;
}
