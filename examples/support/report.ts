import { readMetricsLog } from '@firelight/nn';
import { printable } from '@firelight/tensor/extend';
import { drawConfusion } from './confusion.ts';
import { type CurveEpoch, type CurveStep, drawCurves } from './curves.ts';
import type { RunFolder } from './run-folder.ts';
import { writeWhole } from './write-whole.ts';

/** Rows are the true classes, columns the predicted ones. */
export type Confusion = readonly (readonly number[])[];

function formatShare(correct: number, total: number): string {
  return total === 0 ? '-' : `${((100 * correct) / total).toFixed(1)} %`;
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** The accuracy over all classes and of each, as lines of text. */
export function accuracyLines(confusion: Confusion, classNames: readonly string[]): string[] {
  const correct = sum(confusion.map((row, label) => row[label]));
  const total = sum(confusion.map(sum));
  return [
    `test accuracy: ${formatShare(correct, total)} (${correct} of ${total})`,
    ...classNames.map((name, label) => {
      const share = formatShare(confusion[label][label], sum(confusion[label]));
      return `  ${printable(name).padEnd(10)} ${share.padStart(7)}`;
    }),
  ];
}

/**
 * Draws `curves.svg` from the run's log, and `confusion.svg`.
 *
 * @param warn told of lines of the log that cannot be read
 */
export async function drawPictures(
  { metrics, curves, confusion: confusionFile }: RunFolder,
  {
    confusion,
    classNames,
    warn,
  }: { confusion: Confusion; classNames: readonly string[]; warn: (text: string) => void },
): Promise<void> {
  const rows = await readMetricsLog(metrics, { warn });
  const steps = rows.flatMap((row): CurveStep[] =>
    row.type === 'step'
      ? [{ step: row.global_step, loss: row.loss, learningRate: row.learning_rate }]
      : [],
  );
  const epochs = rows.flatMap((row): CurveEpoch[] =>
    row.type === 'epoch' ? [{ step: row.global_step, metrics: row.metrics ?? {} }] : [],
  );
  await writeWhole(curves, await drawCurves({ steps, epochs }));
  await writeWhole(confusionFile, await drawConfusion(confusion, classNames));
}
