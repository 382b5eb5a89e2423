/**
 * Replaces a file as a whole: whatever happens, and be it a power failure, there is afterwards
 * either the old file or the new one. The bytes go to a temporary file beside it, to the disk
 * (fsync), and then under the name (rename, which the file system does at once).
 *
 * @throws the file system's error, with nothing changed and no temporary file left
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const { mkdir, open, rename, unlink } = await import('node:fs/promises');
  const { basename, dirname, join } = await import('node:path');
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(temporary, 'w');
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

/** Makes the new name last too. Some systems cannot open folders; there it lasts soon enough. */
async function syncFolder(folder: string): Promise<void> {
  const { open } = await import('node:fs/promises');
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** Removes what processes left behind that were killed while they wrote files of this prefix. */
export async function removeLeftovers(folder: string, prefix: string): Promise<void> {
  const { readdir, unlink } = await import('node:fs/promises');
  const { join } = await import('node:path');
  for (const name of await readdir(folder).catch(() => [])) {
    const writer = /^\.(.*)\.(\d+)\.tmp$/.exec(name);
    if (writer?.[1].startsWith(prefix) && !isRunning(Number(writer[2]))) {
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
