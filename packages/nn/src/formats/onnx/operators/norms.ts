import * as f from '@firelight/tensor';
import { type NodeCall, not, type Operator, type OperatorResult } from '../node-call.ts';

const REDUCTIONS = ['none', 'mean', 'sum'] as const;

/** Labels are int64 there, and of several axes. */
const labelLoss =
  (loss: typeof f.softmaxCrossEntropy): Operator =>
  (c) => {
    if (c.outputs > 1) return not('logarithms of probabilities as a second result');
    const reduction = c.choice('reduction', REDUCTIONS, 'mean');
    if (reduction === null) return not('another reduction');
    const weight = c.optional(2);
    return loss(c.x(0), c.x(1), {
      reduction,
      ...(weight !== null && { weight }),
      ...(c.hasAttribute('ignore_index') && { ignoreIndex: c.a('ignore_index', 0) }),
    });
  };

function batchNorm(c: NodeCall): OperatorResult {
  c.ignore('is_test', 'consumed_inputs', 'spatial');
  if (c.a('training_mode', 0) === 1) {
    return not('normalizing by the batch in inference; export it in evaluation mode');
  }
  const training = c.training;
  const epsilon = c.a('epsilon', 1e-5);
  const momentum = 1 - c.a('momentum', 0.9);
  const [x, weight, bias, runningMean, runningVariance] = [0, 1, 2, 3, 4].map((i) => c.x(i));
  const options = { runningMean, runningVariance, epsilon, momentum, training };
  if (x.rank === 4) return f.batchNorm2d(x, weight, bias, options);
  if (x.rank < 2) return not(`${x.rank} axes, of which none has channels`);
  // All axes behind the channels are one to a norm.
  const [N, C, ...rest] = x.shape;
  const pixels = rest.reduce((product, length) => product * length, 1);
  return f.reshape(f.batchNorm2d(f.reshape(x, [N, C, pixels, 1]), weight, bias, options), x.shape);
}

function groupNorm(c: NodeCall): OperatorResult {
  c.ignore('stash_type');
  const groups = c.a('num_groups', 1);
  // A factor and a summand for each group before opset 21, for each channel since.
  const [weight, bias] = [c.x(1), c.x(2)].map((given) =>
    c.opset < 21 ? f.repeat(given, (c.x().shape[1] ?? 0) / groups, 0) : given,
  );
  return f.groupNorm(c.x(0), groups, weight, bias, { epsilon: c.a('epsilon', 1e-5) });
}

function layerNorm(c: NodeCall): OperatorResult {
  c.ignore('stash_type');
  const x = c.x(0);
  const [axis, epsilon] = [c.a('axis', -1), c.a('epsilon', 1e-5)];
  const y = f.layerNorm(x, c.x(1), c.optional(2), { axis, epsilon });
  if (!c.hasOutput(1) && !c.hasOutput(2)) return y;
  const axes = x.shape.map((_, i) => i).slice(axis);
  const mean = f.mean(x, axes, { keepDims: true });
  const variance = f.mean(f.square(f.sub(x, mean)), axes, { keepDims: true });
  return [y, mean, f.rsqrt(f.add(variance, epsilon))];
}

/** Operators that normalize, and losses. */
export const NORMS: Readonly<Record<string, Operator>> = {
  BatchNormalization: batchNorm,
  GroupNormalization: groupNorm,
  InstanceNormalization: (c) =>
    f.instanceNorm(c.x(0), c.x(1), c.x(2), { epsilon: c.a('epsilon', 1e-5) }),
  LayerNormalization: layerNorm,
  // PyTorch's window of an even size begins one channel before ONNX's.
  LRN: (c) => {
    const size = c.a('size', 1);
    const options = { alpha: c.a('alpha', 1e-4), beta: c.a('beta', 0.75), k: c.a('bias', 1) };
    return size % 2 === 1 ? f.localResponseNorm(c.x(), size, options) : not('even sizes');
  },
  LpNormalization: (c) => f.normalize(c.x(), { ord: c.a('p', 2), axis: c.a('axis', -1) }),
  NegativeLogLikelihoodLoss: labelLoss(f.negativeLogLikelihood),
  RMSNormalization: (c) => {
    c.ignore('stash_type');
    return f.rmsNorm(c.x(0), c.x(1), { axis: c.a('axis', -1), epsilon: c.a('epsilon', 1e-5) });
  },
  SoftmaxCrossEntropyLoss: labelLoss(f.softmaxCrossEntropy),
};
