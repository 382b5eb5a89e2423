import * as f from '@firelight/tensor';
import { type Mapping, not, type OnnxCall } from './call.ts';

const optional = (c: OnnxCall, index: number): f.Tensor | null =>
  c.has(index) ? c.x(index) : null;

/** Labels are int64 there, and of several axes. */
const labelLoss =
  (loss: typeof f.softmaxCrossEntropy): Mapping =>
  (c) => {
    if (c.outputs > 1) return not('logarithms of probabilities as a second result');
    const weight = optional(c, 2);
    return loss(c.x(0), c.x(1), {
      reduction: c.text('reduction', 'mean') as 'none' | 'mean' | 'sum',
      ...(weight !== null && { weight }),
      ...(c.hasAttribute('ignore_index') && { ignoreIndex: c.a('ignore_index', 0) }),
    });
  };

/** Operators that normalize, and losses. */
export const NORMS: Readonly<Record<string, Mapping>> = {
  GroupNormalization: (c) =>
    f.groupNorm(c.x(0), c.a('num_groups', 1), c.x(1), c.x(2), { epsilon: c.a('epsilon', 1e-5) }),
  InstanceNormalization: (c) =>
    f.instanceNorm(c.x(0), c.x(1), c.x(2), { epsilon: c.a('epsilon', 1e-5) }),
  // Mean and deviation, which it gives out besides, are not asked of us.
  LayerNormalization: (c) =>
    f.layerNorm(c.x(0), c.x(1), optional(c, 2), {
      axis: c.a('axis', -1),
      epsilon: c.a('epsilon', 1e-5),
    }),
  // PyTorch's window of an even size begins one channel before ONNX's.
  LRN: (c) => {
    const size = c.a('size', 1);
    const options = { alpha: c.a('alpha', 1e-4), beta: c.a('beta', 0.75), k: c.a('bias', 1) };
    return size % 2 === 1 ? f.localResponseNorm(c.x(), size, options) : not('even sizes');
  },
  LpNormalization: (c) => f.normalize(c.x(), { ord: c.a('p', 2), axis: c.a('axis', -1) }),
  NegativeLogLikelihoodLoss: labelLoss(f.negativeLogLikelihood),
  RMSNormalization: (c) =>
    f.rmsNorm(c.x(0), c.x(1), { axis: c.a('axis', -1), epsilon: c.a('epsilon', 1e-5) }),
  SoftmaxCrossEntropyLoss: labelLoss(f.softmaxCrossEntropy),
};
