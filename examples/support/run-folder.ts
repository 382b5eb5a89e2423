import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, CheckpointError, latestCheckpoint } from '@firelight/nn';
import { parseRunConfig, type RunConfig } from './run-config.ts';
import { lockRun } from './run-lock.ts';
import { writeWhole } from './write-whole.ts';

/** Where runs go that are not told where. */
const RUNS = 'runs';
/** Beginning of the names of checkpoints, as in the tutorial. */
export const PREFIX = 'SqueezeNet';

/** The files of a run. */
export interface RunFolder {
  readonly path: string;
  readonly config: string;
  readonly metrics: string;
  readonly checkpoints: string;
  readonly curves: string;
  readonly confusion: string;
  readonly sessions: string;
}

/** A run's folder that this process alone writes to, until `release`. */
export interface LockedRun {
  readonly folder: RunFolder;
  release(): Promise<void>;
}

function filesIn(path: string): RunFolder {
  return {
    path,
    config: join(path, 'config.json'),
    metrics: join(path, 'metrics.jsonl'),
    checkpoints: join(path, 'checkpoints'),
    curves: join(path, 'curves.svg'),
    confusion: join(path, 'confusion.svg'),
    sessions: join(path, 'sessions'),
  };
}

/**
 * The folder of a new run; it is made.
 *
 * @throws CheckpointError if `out` holds a run already
 * @throws RunInUseError if another process begins one there
 */
export async function newRun(recipe: string, out: string | undefined): Promise<LockedRun> {
  const folder = filesIn(out ?? (await unusedFolder(recipe)));
  await refuseIfBegun(folder);
  await mkdir(folder.checkpoints, { recursive: true });
  const release = await lockRun(folder.sessions, folder.path);
  try {
    await refuseIfBegun(folder); // Another process may have come and gone.
  } catch (error) {
    await release();
    throw error;
  }
  return { folder, release };
}

/** A folder for a run that is not told where; runs that begin in one second get different ones. */
async function unusedFolder(recipe: string): Promise<string> {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  await mkdir(RUNS, { recursive: true });
  for (let number = 1; ; number++) {
    const path = join(RUNS, `${recipe}-${time}${number === 1 ? '' : `-${number}`}`);
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

async function isBegun({ config }: RunFolder): Promise<boolean> {
  return (await stat(config).catch(() => null)) !== null;
}

async function refuseIfBegun(folder: RunFolder): Promise<void> {
  if (!(await isBegun(folder))) return;
  throw new CheckpointError(
    `${folder.path} holds a run already; go on with it by --resume, or pass another --out`,
  );
}

/**
 * The folder of a run that is there: `out`, or the latest under `runs`.
 *
 * @throws CheckpointError if there is no run
 * @throws RunInUseError if another process trains it
 */
export async function existingRun(out: string | undefined): Promise<LockedRun> {
  const folder = filesIn(out ?? (await latestFolder()));
  if (!(await isBegun(folder))) {
    throw new CheckpointError(
      `${folder.path} holds no run to resume: config.json is missing; start one without --resume`,
    );
  }
  return { folder, release: await lockRun(folder.sessions, folder.path) };
}

async function latestFolder(): Promise<string> {
  const names = await readdir(RUNS).catch(() => []);
  const times = await Promise.all(
    names.map(async (name) => {
      const config = await stat(filesIn(join(RUNS, name)).config).catch(() => null);
      return { name, time: config?.mtimeMs ?? null };
    }),
  );
  const [latest] = times
    .filter(({ time }) => time !== null)
    .sort((a, b) => Number(b.time) - Number(a.time));
  if (latest === undefined) {
    throw new CheckpointError(`there is no run in ${RUNS}/ to resume; pass its folder with --out`);
  }
  return join(RUNS, latest.name);
}

/**
 * The latest whole checkpoint of a run; null if it was stopped before the first.
 *
 * @throws CheckpointError if none is whole
 */
export function latestOf(
  folder: RunFolder,
  warn: (text: string) => void,
): Promise<Checkpoint | null> {
  return latestCheckpoint(folder.checkpoints, { prefix: PREFIX, warn });
}

/**
 * What `config.json` says.
 *
 * @throws CheckpointError if it is damaged
 */
export async function readConfig({ config }: RunFolder): Promise<RunConfig> {
  return parseRunConfig(await readFile(config, 'utf8'), config);
}

/** Writes `config.json` as a whole or not at all. */
export async function writeConfig({ config }: RunFolder, content: RunConfig): Promise<void> {
  await writeWhole(config, `${JSON.stringify(content, null, 2)}\n`);
}
