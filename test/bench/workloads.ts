import { parseTrainOptions } from '../../examples/support/train-options.ts';

/** Threads that everybody may use. */
export const THREADS = Number(process.env.THREADS ?? 2);

/** A network by name, for contenders to build, and how it is trained. */
export interface Network {
  /** SqueezeNet 1.0 with 10 classes as it was published, or that of `npm run train`. */
  readonly name: 'SqueezeNet 1.0' | 'npm run train';
  readonly training: {
    readonly learningRate: number;
    readonly momentum: number;
    readonly nesterov: boolean;
    readonly weightDecay: number;
  };
}

/** What is timed, on each contender in the same way. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly kind: 'train' | 'infer';
  readonly network: Network;
  readonly batch: number;
  readonly size: number;
  /** Timed repetitions in one process, after `warmups`. */
  readonly repetitions: number;
  readonly warmups: number;
}

/** The flags of `npm run train` as they are by default. */
export const RECIPE = parseTrainOptions([]);

export const SQUEEZENET: Network = {
  name: 'SqueezeNet 1.0',
  training: { learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 1e-4 },
};

const RECIPE_NETWORK: Network = {
  name: 'npm run train',
  training: {
    learningRate: RECIPE['lr-max'],
    momentum: RECIPE.momentum,
    nesterov: RECIPE.nesterov,
    weightDecay: RECIPE['weight-decay'],
  },
};

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'T1',
    title: 'training step, batch 32, 224²',
    kind: 'train',
    network: SQUEEZENET,
    batch: 32,
    size: 224,
    repetitions: 4,
    warmups: 2,
  },
  {
    name: 'T2',
    title: 'training step, batch 32, 64²',
    kind: 'train',
    network: SQUEEZENET,
    batch: 32,
    size: 64,
    repetitions: 30,
    warmups: 8,
  },
  {
    name: 'T3',
    title: 'inference, batch 1, 224²',
    kind: 'infer',
    network: SQUEEZENET,
    batch: 1,
    size: 224,
    repetitions: 40,
    warmups: 10,
  },
  {
    name: 'T4',
    title: 'inference, batch 32, 224²',
    kind: 'infer',
    network: SQUEEZENET,
    batch: 32,
    size: 224,
    repetitions: 4,
    warmups: 2,
  },
  {
    name: 'T5',
    title: `training step of npm run train, batch ${RECIPE['batch-size']}, ${RECIPE['image-size']}²`,
    kind: 'train',
    network: RECIPE_NETWORK,
    batch: RECIPE['batch-size'],
    size: RECIPE['image-size'],
    repetitions: 30,
    warmups: 8,
  },
];

/** What a contender prints for each workload, as a line of JSON. */
export interface Timing {
  readonly workload: string;
  readonly milliseconds: readonly number[];
  readonly peakBytes: number;
}
