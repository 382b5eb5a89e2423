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
      return `  ${name.padEnd(10)} ${share.padStart(7)}`;
    }),
  ];
}
