import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';

const HEARTBEAT_MS = 2000;
/** A holder that has not been heard of for so long is gone. */
const STALE_MS = 30_000;
const POLL_MS = 100;

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `body` while no other process does so with the same lock file. A lock whose process has
 * ended is taken over: at once if that was on this machine, else when its heartbeat has stopped.
 * `onWait` is called once if there is one to wait for.
 *
 * Two processes that find the same dead lock in the same instant might both go on; what they write
 * is therefore checked before it gets its name.
 */
export async function withLock<Result>(
  path: string,
  body: () => Promise<Result>,
  onWait: () => void,
): Promise<Result> {
  const { rm, utimes } = nodeModule('node:fs/promises');
  let isWaiting = false;
  while (!(await tryToLock(path))) {
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!isWaiting) onWait();
    isWaiting = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await body();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function tryToLock(path: string): Promise<boolean> {
  const { writeFile } = nodeModule('node:fs/promises');
  const { hostname } = nodeModule('node:os');
  const holder: Holder = { pid: process.pid, host: hostname() };
  try {
    await writeFile(path, JSON.stringify(holder), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new DataError(`cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const { readFile, stat } = nodeModule('node:fs/promises');
  const { hostname } = nodeModule('node:os');
  const found = await stat(path).catch(() => null);
  if (found === null) return false;
  if (Date.now() - found.mtimeMs > STALE_MS) return true;
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text === '') return false; // Its holder is about to write it.
  try {
    const { pid, host } = JSON.parse(text) as Holder;
    return host === hostname() && !isRunning(pid);
  } catch {
    return false;
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
