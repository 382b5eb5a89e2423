import { nodeModule } from '../core/node.ts';

/** For each path that is written, what ends with the last of its writes; it never fails. */
const pending = new Map<string, Promise<unknown>>();

/**
 * Replaces a file as a whole: whatever happens, even a power failure, there is afterwards
 * either the old file or the new one. The bytes go to a temporary file beside it, to the disk
 * (fsync), and then under the name (rename, which the file system does at once).
 *
 * Writes of one path take their turns in the order of the calls, so the last one stays. Those of
 * other processes have temporary files of their own, and the last to end stays.
 *
 * @param bytes what to write; a promise of it holds the place among the writes
 * @throws the file system's error, with nothing changed and no temporary file left
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  const before = pending.get(path);
  const write = Promise.all([bytes, before]).then(([content]) => replaceFile(path, content));
  // A write whose bytes fail ends early; the next one waits for those before it all the same.
  const turn = Promise.allSettled([before, write]).then(() => {
    if (pending.get(path) === turn) pending.delete(path);
  });
  pending.set(path, turn);
  await write;
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const { mkdir, open, rename, unlink } = nodeModule('node:fs/promises');
  const { dirname, join } = nodeModule('node:path');
  const folder = dirname(path);
  const temporary = join(folder, temporaryName(path));
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {}); // It may not have come into being.
    throw error;
  }
  await syncFolder(folder);
}

/** Most of the file's own name in a temporary one, so that it is not too long where that is not. */
const SHOWN_LENGTH = 60;

function temporaryName(path: string): string {
  const { randomBytes } = nodeModule('node:crypto');
  const { basename } = nodeModule('node:path');
  const shown = basename(path).slice(0, SHOWN_LENGTH);
  return `.${shown}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Makes the new name last too. Some systems cannot open folders; there it lasts soon enough. */
async function syncFolder(folder: string): Promise<void> {
  const { open } = nodeModule('node:fs/promises');
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** Removes what processes left behind that were killed while they wrote files of this prefix. */
export async function removeLeftovers(folder: string, prefix: string): Promise<void> {
  const { readdir, unlink } = nodeModule('node:fs/promises');
  const { join } = nodeModule('node:path');
  const start = `.${prefix.slice(0, SHOWN_LENGTH)}`;
  for (const name of await readdir(folder).catch(() => [])) {
    const writer = /\.(\d{1,10})(\.[0-9a-f]{12})?\.tmp$/.exec(name);
    if (writer !== null && name.startsWith(start) && !isRunning(Number(writer[1]))) {
      await unlink(join(folder, name)).catch(() => {}); // Another process was faster.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
