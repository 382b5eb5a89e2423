import { FirelightError } from '@firelight/tensor';
import { warnOnConsole } from '../core/console.ts';
import { isRecord } from '../core/schema.ts';
import { readRows } from './log-file.ts';

/** A step in the file of `MetricsLog`. */
export interface StepRow {
  readonly type: 'step';
  readonly epoch: number;
  readonly step: number;
  readonly global_step: number;
  readonly loss: number;
  readonly learning_rate: number;
}

/** The end of an epoch in it. */
export interface EpochRow {
  readonly type: 'epoch';
  readonly epoch: number;
  /** The last step of the epoch. */
  readonly global_step: number;
  /** What the validation measured by name, a number that is not finite as null; null without one. */
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

/** A line of `MetricsLog`. */
export type MetricsRow = StepRow | EpochRow;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;

/** The row of a line; null for what `MetricsLog` does not write. */
export function parseMetricsRow(line: string): MetricsRow | null {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(row) || !isCount(row.epoch) || !isCount(row.global_step)) return null;
  const isStep =
    row.type === 'step' &&
    isCount(row.step) &&
    Number.isFinite(row.loss) &&
    Number.isFinite(row.learning_rate);
  const isEpoch = row.type === 'epoch' && (row.metrics === null || isRecord(row.metrics));
  return isStep || isEpoch ? (row as unknown as MetricsRow) : null; // As its fields were checked.
}

/**
 * Reads what `MetricsLog` wrote. A last line that a power failure cut off and lines that are no rows
 * are left out with a warning.
 *
 * @throws FirelightError if there is no such file or it cannot be read
 */
export async function readMetricsLog(
  path: string,
  { warn = warnOnConsole }: { readonly warn?: (text: string) => void } = {},
): Promise<MetricsRow[]> {
  const rows = await readRows(path, '', parseMetricsRow, warn);
  if (rows === null) {
    throw new FirelightError(`${path}: there is no such file; pass one that MetricsLog wrote`);
  }
  return rows.map(({ row }) => row);
}
