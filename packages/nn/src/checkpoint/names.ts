/**
 * Names of checkpoint files: `<prefix>-<epoch>_<step>.safetensors`, with `<prefix>_<n>` for the
 * n-th rerun in the same folder.
 *
 * @see MindSpore, `train/callback/_checkpoint.py`
 */

/** A checkpoint file by its name. */
export interface CheckpointName {
  readonly name: string;
  readonly prefix: string;
  readonly epoch: number;
  readonly step: number;
}

export function checkpointName(prefix: string, epoch: number, step: number): string {
  return `${prefix}-${epoch}_${step}.safetensors`;
}

/** The file that holds the best weights so far. */
export function bestName(prefix: string): string {
  return `${prefix}-best.safetensors`;
}

/** Null for a file that is no numbered checkpoint. */
function parseCheckpointName(name: string): CheckpointName | null {
  const match = /^(.+)-(\d{1,15})_(\d{1,15})\.safetensors$/.exec(name);
  if (match === null) return null;
  return { name, prefix: match[1], epoch: Number(match[2]), step: Number(match[3]) };
}

/** Which run a prefix is of: 0 for `prefix` itself, n for `prefix_n`; null for another prefix. */
export function rerunOf(found: string, prefix: string): number | null {
  if (found === prefix) return 0;
  const match = found.startsWith(`${prefix}_`)
    ? /^\d{1,9}$/.exec(found.slice(prefix.length + 1))
    : null;
  return match === null ? null : Number(match[0]);
}

/** The prefix for a new run: `prefix`, or `prefix_n` with the first n above all that are there. */
export function unusedPrefix(names: readonly string[], prefix: string): string {
  const reruns = names
    .map((name) => /^(.+)-(?:\d{1,15}_\d{1,15}|best)\.safetensors$/.exec(name)?.[1])
    .map((found) => (found === undefined ? null : rerunOf(found, prefix)))
    .filter((rerun) => rerun !== null);
  const last = reruns.reduce((most, rerun) => Math.max(most, rerun), -1);
  return last < 0 ? prefix : `${prefix}_${last + 1}`;
}

/** The checkpoints of a prefix and its reruns, the latest first. */
export function latestFirst(names: readonly string[], prefix: string): CheckpointName[] {
  return names
    .map(parseCheckpointName)
    .filter((found) => found !== null)
    .map((found) => ({ found, rerun: rerunOf(found.prefix, prefix) }))
    .filter(({ rerun }) => rerun !== null)
    .sort(
      (a, b) =>
        (b.rerun as number) - (a.rerun as number) ||
        b.found.epoch - a.found.epoch ||
        b.found.step - a.found.step,
    )
    .map(({ found }) => found);
}
