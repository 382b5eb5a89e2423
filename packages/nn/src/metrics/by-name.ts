import { ValueError } from '@firelight/tensor';
import { Accuracy, TopK } from './accuracy.ts';
import { ConfusionMatrix, F1, Precision, Recall } from './confusion-matrix.ts';
import { Loss } from './loss.ts';
import type { Metric } from './metric.ts';

const METRICS = {
  accuracy: () => new Accuracy(),
  acc: () => new Accuracy(),
  top1: () => new TopK(1),
  top5: () => new TopK(5),
  topK: () => new TopK(),
  loss: () => new Loss(),
  confusionMatrix: () => new ConfusionMatrix(),
  precision: () => new Precision(),
  recall: () => new Recall(),
  f1: () => new F1(),
} as const;

/** Metrics that can be asked for by name. */
export type MetricName = keyof typeof METRICS;

/** Names of metrics, or metrics by names of yours. */
export type MetricsOption = readonly MetricName[] | Readonly<Record<string, Metric>>;

/** @throws ValueError for a name that is not known */
export function createMetrics(metrics: MetricsOption): ReadonlyMap<string, Metric> {
  if (!Array.isArray(metrics)) {
    return new Map(Object.entries(metrics as Readonly<Record<string, Metric>>));
  }
  return new Map(
    (metrics as readonly MetricName[]).map((name) => {
      if (!Object.hasOwn(METRICS, name)) {
        throw new ValueError(
          `Model: no metric '${name}'; known are ${Object.keys(METRICS).join(', ')}, or pass ` +
            '{ name: metric } with one of yours',
        );
      }
      return [name, METRICS[name]()];
    }),
  );
}
