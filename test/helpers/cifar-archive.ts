import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';

/** Folder and files of CIFAR-10's binary archive. */
export const FOLDER = 'cifar-10-batches-bin';
export const NAMES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin');

/** A file's bytes of the right length. */
export const content = new Uint8Array(30_730_000).fill(4);

export const file = (name: string, body: Uint8Array | string = content): TarEntry => ({
  header: { name, size: body.length, type: 'file' },
  body,
});

export async function archiveOf(entries: TarEntry[]): Promise<Buffer> {
  return gzipSync(await packTar(entries), { level: 1 });
}

/** An archive with all that the published one has. */
export function wholeArchive(): Promise<Buffer> {
  return archiveOf([
    { header: { name: `${FOLDER}/`, size: 0, type: 'directory' } },
    file(`${FOLDER}/readme.html`, 'hi'),
    ...NAMES.map((name) => file(`${FOLDER}/${name}`)),
  ]);
}

export const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
