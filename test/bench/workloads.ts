/** What is timed, on SqueezeNet 1.0 with 10 classes, on each contender in the same way. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly kind: 'train' | 'infer';
  readonly batch: number;
  readonly size: number;
  /** Timed repetitions in one process, after `warmups`. */
  readonly repetitions: number;
  readonly warmups: number;
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'T1',
    title: 'training step, batch 32, 224²',
    kind: 'train',
    batch: 32,
    size: 224,
    repetitions: 4,
    warmups: 2,
  },
  {
    name: 'T2',
    title: 'training step, batch 32, 64²',
    kind: 'train',
    batch: 32,
    size: 64,
    repetitions: 30,
    warmups: 8,
  },
  {
    name: 'T3',
    title: 'inference, batch 1, 224²',
    kind: 'infer',
    batch: 1,
    size: 224,
    repetitions: 40,
    warmups: 10,
  },
  {
    name: 'T4',
    title: 'inference, batch 32, 224²',
    kind: 'infer',
    batch: 32,
    size: 224,
    repetitions: 4,
    warmups: 2,
  },
];

/** What a contender prints for each workload, as a line of JSON. */
export interface Timing {
  readonly workload: string;
  readonly milliseconds: readonly number[];
  readonly peakBytes: number;
}
