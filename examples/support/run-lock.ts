import { randomUUID } from 'node:crypto';
import {
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { quote } from '@firelight/tensor/extend';

/** A folder in which another process trains. */
export class RunInUseError extends Error {
  override name = 'RunInUseError';
}

/** A process that trains, or trained, in a run's folder: what `sessions/<n>.json` holds. */
interface Session {
  readonly pid: number;
  readonly host: string;
  /** Which start of the machine, and which table of processes; null where it does not say. */
  readonly boot: string | null;
  readonly namespace: string | null;
  /** When the process began, in ticks of the machine; null where it does not say. */
  readonly started: string | null;
  readonly ended: boolean;
}

const HEARTBEAT_MS = 10_000;
/** A process elsewhere that was not heard of for so long is gone. */
const SILENCE_MS = 60_000;

/**
 * Makes this process the only one that trains in a run's folder, until `release`.
 *
 * Sessions are numbered, and a file of theirs is never removed, so two processes cannot both come
 * after the same one: a number is given once, by the file system. The last session decides. It is
 * over if it says so, or its process is gone: one of this machine by its number and start, which
 * also tells a reused number and a restart; one of another by its heartbeat, the file's time.
 *
 * @param sessions folder of the sessions; it is made
 * @throws RunInUseError if another process trains there
 */
export async function lockRun(sessions: string, run: string): Promise<() => Promise<void>> {
  await mkdir(sessions, { recursive: true });
  const own = await thisProcess();
  const temporary = join(sessions, `.${randomUUID()}.tmp`);
  await writeFile(temporary, JSON.stringify(own));
  try {
    // The clock of the folder's machine, which may be another one.
    const now = (await stat(temporary)).mtimeMs;
    for (;;) {
      const last = await lastNumber(sessions);
      if (last > 0) await refuseIfAlive(join(sessions, `${last}.json`), { own, now, run });
      const path = join(sessions, `${last + 1}.json`);
      if (await claim(temporary, path, own)) return hold(path, own);
    }
  } finally {
    await unlink(temporary).catch(() => {}); // It may have become the session's file.
  }
}

async function thisProcess(): Promise<Session> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => null);
  return {
    pid: process.pid,
    host: hostname(),
    boot: boot?.trim() ?? null,
    namespace: await readlink('/proc/self/ns/pid').catch(() => null),
    started: await startOf(process.pid),
    ended: false,
  };
}

/** When a process of this machine began; null if it is gone, or the machine does not say. */
async function startOf(pid: number): Promise<string | null> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name in parentheses may hold anything; field 3 follows it, the state, and 22 is the start.
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19];
}

async function lastNumber(sessions: string): Promise<number> {
  const numbers = (await readdir(sessions)).map((name) => /^(\d+)\.json$/.exec(name)?.[1]);
  return numbers.reduce((most, number) => Math.max(most, Number(number ?? 0)), 0);
}

/** Gives the session's file its number; false if another process was faster. */
async function claim(temporary: string, path: string, own: Session): Promise<boolean> {
  try {
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      // A file system without links.
      return writeFile(path, JSON.stringify(own), { flag: 'wx' });
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Shows that the process lives, until the returned function ends the session. */
function hold(path: string, own: Session): () => Promise<void> {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // A folder that is out of reach is told by the training.
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    const temporary = `${path}.tmp`;
    try {
      await writeFile(temporary, JSON.stringify({ ...own, ended: true }));
      await rename(temporary, path);
    } catch {
      // On a full disk, say. That the process is gone ends its session too.
      await unlink(temporary).catch(() => {});
    }
  };
}

async function refuseIfAlive(
  path: string,
  { own, now, run }: { own: Session; now: number; run: string },
): Promise<void> {
  const silence = now - (await stat(path)).mtimeMs;
  const session = parseSession(await readFile(path, 'utf8'));
  if (session === null) {
    // Broken, or about to be written where there are no links.
    if (silence > SILENCE_MS) return;
    throw new RunInUseError(
      `${run} seems to be in use by another process: ${path} is new and cannot be read; wait a ` +
        'minute, or pass another --out',
    );
  }
  if (!(await isAlive(session, own, silence))) return;
  const { pid, host } = session;
  const where = host === own.host ? '' : ` on ${quote(host)}`;
  throw new RunInUseError(
    `${run} is being trained by process ${pid}${where}; wait for it, stop it with kill ${pid}, ` +
      'after which it saves, or pass another --out',
  );
}

function parseSession(text: string): Session | null {
  try {
    const { pid, host, boot, namespace, started, ended } = JSON.parse(text);
    const isSession = Number.isSafeInteger(pid) && pid > 0 && typeof host === 'string';
    return isSession ? { pid, host, boot, namespace, started, ended } : null;
  } catch {
    return null;
  }
}

async function isAlive(session: Session, own: Session, silence: number): Promise<boolean> {
  const { pid, host, boot, namespace, started, ended } = session;
  if (ended === true) return false;
  const isHere = host === own.host;
  if (isHere && own.boot !== null && boot !== own.boot) return false;
  if (isHere && own.started !== null && namespace === own.namespace) {
    const found = await startOf(pid);
    return found !== null && found === started;
  }
  return silence < SILENCE_MS && !(isHere && namespace === own.namespace && !isRunning(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
