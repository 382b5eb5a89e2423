import { parseTrainOptions } from '../../examples/support/parse-train-options.ts';

/** Threads that everybody may use. */
export const THREADS = Number(process.env.THREADS ?? 2);

/** What all that is timed has, for each contender in the same way. */
interface Timed {
  readonly name: string;
  readonly title: string;
  /** Timed repetitions in one process, after `warmups`. */
  readonly repetitions: number;
  readonly warmups: number;
}

/** A network by name, for contenders to build, and how it is trained. */
export interface Network {
  /** SqueezeNet 1.0 as it was published, that of `npm run train`, and others; with 10 classes. */
  readonly name: 'SqueezeNet 1.0' | 'npm run train' | 'ResNet-20' | 'MobileNetV2';
  readonly training: {
    readonly learningRate: number;
    readonly momentum: number;
    readonly nesterov: boolean;
    readonly weightDecay: number;
  };
}

/** A training step, or inference, of a network. */
export interface Workload extends Timed {
  readonly kind: 'train' | 'infer';
  readonly network: Network;
  readonly batch: number;
  readonly size: number;
}

/** A matrix product: `[rows, inner]` by `[inner, columns]`. */
export interface Product extends Timed {
  readonly kind: 'product';
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** The flags of `npm run train` as they are by default. */
export const RECIPE = parseTrainOptions([]);

export const SQUEEZENET: Network = {
  name: 'SqueezeNet 1.0',
  training: { learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 1e-4 },
};

const RESNET: Network = { name: 'ResNet-20', training: SQUEEZENET.training };

const MOBILENET: Network = { name: 'MobileNetV2', training: SQUEEZENET.training };

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
  {
    name: 'T6',
    title: 'training step of ResNet-20, batch 64, 32²',
    kind: 'train',
    network: RESNET,
    batch: 64,
    size: 32,
    repetitions: 20,
    warmups: 6,
  },
  {
    name: 'T7',
    title: 'training step of MobileNetV2, batch 64, 32²',
    kind: 'train',
    network: MOBILENET,
    batch: 64,
    size: 32,
    repetitions: 20,
    warmups: 6,
  },
];

export const PRODUCTS: readonly Product[] = [
  {
    name: 'P1',
    title: '512³',
    kind: 'product',
    rows: 512,
    inner: 512,
    columns: 512,
    repetitions: 40,
    warmups: 20,
  },
  {
    name: 'P2',
    title: '1024³',
    kind: 'product',
    rows: 1024,
    inner: 1024,
    columns: 1024,
    repetitions: 15,
    warmups: 5,
  },
  {
    name: 'P3',
    title: '64 × 512 × 5408 (conv 1×1 512 → 64, 13², batch 32)',
    kind: 'product',
    rows: 64,
    inner: 512,
    columns: 32 * 13 * 13,
    repetitions: 40,
    warmups: 20,
  },
];

/** What a contender prints for each workload, as a line of JSON. */
export interface Timing {
  readonly workload: string;
  readonly milliseconds: readonly number[];
  readonly peakBytes: number;
}
