import { ValueError } from '@firelight/tensor';
import { expectInteger, expectThat } from '@firelight/tensor/extend';
import { expectNotNegative } from '../core/checks.ts';

/** How the learning rate falls after the warm-up. */
export type LrDecayMode = 'steps' | 'poly' | 'linear' | 'cosine';

/** The learning rates of a training, as MindSpore's tutorial computes them. */
export interface GetLrOptions {
  /** Learning rate at step 0, where warm-up starts. */
  readonly lrInit: number;
  /** Where linear decay leads; the other modes do not use it. */
  readonly lrEnd: number;
  /** Learning rate after warm-up. */
  readonly lrMax: number;
  readonly totalEpochs: number;
  /** Need not be whole; its steps are rounded. */
  readonly warmupEpochs: number;
  /** Epochs trained before: the array starts after them. */
  readonly pretrainEpochs: number;
  readonly stepsPerEpoch: number;
  readonly lrDecayMode: LrDecayMode;
}

/** Cycles of the cosine over the whole decay. */
const COSINE_CYCLES = 0.47;
/** Keeps the cosine from reaching 0; the array therefore starts this much above its maximum. */
const COSINE_FLOOR = 1e-5;

/** Ends of the first three stages of `'steps'` as shares of all steps, and the factor in each. */
const STAGES: readonly (readonly [end: number, factor: number])[] = [
  [0.3, 1],
  [0.6, 0.1],
  [0.8, 0.01],
  [Number.POSITIVE_INFINITY, 0.001],
];

function stageFactor(step: number, total: number): number {
  // The thresholds are products with the total, as in the original: 0.3 · T is compared unrounded.
  const stage = STAGES.find(([end]) => step < end * total);
  return (stage as readonly [number, number])[1]; // The last stage has no end.
}

/**
 * The learning rate of every step as the tutorial's `get_lr` computes it. With T steps in all, w of
 * warm-up and D = T − w:
 *
 * - warm-up (not in `steps`): lrInit + (lrMax − lrInit) · i / w
 * - `steps`: lrMax · {1, 0.1, 0.01, 0.001}, changing at 0.3 T, 0.6 T and 0.8 T
 * - `poly`: lrMax · (1 − (i − w) / D)²
 * - `linear`: lrMax − (lrMax − lrEnd) · (i − w) / D
 * - `cosine`: lrMax · ((T − i) / D · ½ (1 + cos(2π · 0.47 · (i − w) / D)) + 10⁻⁵)
 *
 * @returns one float32 for each step from `pretrainEpochs` on
 * @throws ValueError for an unknown mode or numbers out of range
 * @see mindspore-ai/models, research/cv/squeezenet/src/lr_generator.py
 */
export function getLr(options: GetLrOptions): Float32Array {
  checkOptions(options);
  const { lrInit, lrEnd, lrMax, stepsPerEpoch, lrDecayMode } = options;
  const total = options.totalEpochs * stepsPerEpoch;
  const warmup = Math.round(options.warmupEpochs * stepsPerEpoch);
  const decaySteps = total - warmup;

  const decayed = (step: number): number => {
    const progress = (step - warmup) / decaySteps;
    switch (lrDecayMode) {
      case 'steps':
        return lrMax * stageFactor(step, total);
      case 'poly':
        return lrMax * (1 - progress) ** 2;
      case 'linear':
        return lrMax - (lrMax - lrEnd) * progress;
      case 'cosine': {
        const wave = 0.5 * (1 + Math.cos(2 * Math.PI * COSINE_CYCLES * progress));
        return lrMax * (((total - step) / decaySteps) * wave + COSINE_FLOOR);
      }
      default:
        return lrDecayMode satisfies never;
    }
  };
  return Float32Array.from({ length: total - options.pretrainEpochs * stepsPerEpoch }, (_, i) => {
    const step = i + options.pretrainEpochs * stepsPerEpoch;
    const isWarmup = lrDecayMode !== 'steps' && step < warmup;
    return isWarmup ? lrInit + ((lrMax - lrInit) * step) / warmup : decayed(step);
  });
}

function checkOptions(options: GetLrOptions): void {
  const modes: readonly string[] = ['steps', 'poly', 'linear', 'cosine'];
  const { lrDecayMode } = options;
  const rule = `one of ${modes.join(', ')}`;
  expectThat(modes.includes(lrDecayMode), 'getLr', 'lrDecayMode', rule, lrDecayMode);
  for (const name of ['lrInit', 'lrEnd', 'lrMax'] as const) {
    expectNotNegative('getLr', name, options[name]);
  }
  const { totalEpochs, warmupEpochs, pretrainEpochs } = options;
  const least = { totalEpochs: 1, stepsPerEpoch: 1, pretrainEpochs: 0 };
  for (const [name, minimum] of Object.entries(least) as [keyof typeof least, number][]) {
    expectInteger('getLr', name, options[name], minimum);
  }
  expectNotNegative('getLr', 'warmupEpochs', warmupEpochs);
  if (warmupEpochs > totalEpochs) {
    throw new ValueError(
      `getLr: warmupEpochs (${warmupEpochs}) must not be more than totalEpochs (${totalEpochs})`,
    );
  }
  if (pretrainEpochs >= totalEpochs) {
    throw new ValueError(
      `getLr: pretrainEpochs (${pretrainEpochs}) must be less than totalEpochs (${totalEpochs}), ` +
        'or no step is left',
    );
  }
}
