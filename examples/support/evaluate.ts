import type { BatchSource } from '@firelight/data';
import type { Module } from '@firelight/nn';
import { argmax, noGrad, tidy } from '@firelight/tensor';
import { ProgressBar } from './progress.ts';

/** Images of one class: how many there were, and how many were recognized. */
export interface ClassCount {
  correct: number;
  total: number;
}

/** Counts, for each class, how many images the network puts into it. Leaves it in evaluation mode. */
export async function evaluate(
  network: Module,
  dataset: BatchSource,
  numClasses: number,
): Promise<ClassCount[]> {
  const counts = Array.from({ length: numClasses }, (): ClassCount => ({ correct: 0, total: 0 }));
  const progress = new ProgressBar();
  let step = 0;
  network.eval();
  for await (const { image, label } of dataset) {
    tidy(() => {
      const predicted = noGrad(() => argmax(network.forward(image), 1)).data;
      label.data.forEach((truth, i) => {
        counts[truth].total++;
        if (predicted[i] === truth) counts[truth].correct++;
      });
    });
    step++;
    progress.update({
      label: 'test',
      step,
      steps: dataset.batchesPerEpoch,
      images: label.size,
      details: `accuracy ${formatShare(sumCounts(counts))}`,
    });
  }
  return counts;
}

/** All classes together. */
export function sumCounts(counts: readonly ClassCount[]): ClassCount {
  return counts.reduce(
    (sum, { correct, total }) => ({ correct: sum.correct + correct, total: sum.total + total }),
    { correct: 0, total: 0 },
  );
}

/** `48.2 %`, or a dash where there were no images. */
export function formatShare({ correct, total }: ClassCount): string {
  return total === 0 ? '-' : `${((100 * correct) / total).toFixed(1)} %`;
}
