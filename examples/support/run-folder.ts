import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, CheckpointError, latestCheckpoint } from '@firelight/nn';

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
}

function filesIn(path: string): RunFolder {
  return {
    path,
    config: join(path, 'config.json'),
    metrics: join(path, 'metrics.jsonl'),
    checkpoints: join(path, 'checkpoints'),
    curves: join(path, 'curves.svg'),
    confusion: join(path, 'confusion.svg'),
  };
}

/**
 * The folder of a new run; it is made.
 *
 * @throws CheckpointError if `out` holds a run already
 */
export async function newRun(recipe: string, out: string | undefined): Promise<RunFolder> {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const folder = filesIn(out ?? join(RUNS, `${recipe}-${time}`));
  if (await stat(folder.config).catch(() => null)) {
    throw new CheckpointError(
      `${folder.path} holds a run already; go on with it by --resume, or pass another --out`,
    );
  }
  await mkdir(folder.checkpoints, { recursive: true });
  return folder;
}

/** The folder of a run that is there: `out`, or the latest under `runs`. */
export async function existingRun(out: string | undefined): Promise<RunFolder> {
  if (out !== undefined) return filesIn(out);
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
  return filesIn(join(RUNS, latest.name));
}

/**
 * The latest whole checkpoint of a run; null if it was stopped before the first.
 *
 * @throws CheckpointError if the folder holds no run
 */
export async function latestOf(
  folder: RunFolder,
  warn: (text: string) => void,
): Promise<Checkpoint | null> {
  if ((await stat(folder.config).catch(() => null)) === null) {
    throw new CheckpointError(
      `${folder.path} holds no run to resume: config.json is missing; start one without --resume`,
    );
  }
  return latestCheckpoint(folder.checkpoints, { prefix: PREFIX, warn });
}

/** What `config.json` says. */
export async function readConfig<Config>({ config }: RunFolder): Promise<Config> {
  const text = await readFile(config, 'utf8');
  try {
    return JSON.parse(text) as Config; // We wrote it.
  } catch {
    throw new CheckpointError(`${config} is damaged: it is no JSON; start the run anew`);
  }
}

/** Writes `config.json` as a whole or not at all. */
export async function writeConfig({ config }: RunFolder, content: unknown): Promise<void> {
  const temporary = `${config}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`);
  await rename(temporary, config);
}
