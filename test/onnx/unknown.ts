/** Operators of the node tests that are not known here, and why. */
export const UNKNOWN: Readonly<Record<string, string>> = {
  Attention: 'scaledDotProductAttention is its core, without caches, caps and heads in one axis',
  Bernoulli: 'random numbers of another generator',
  BitCast: 'cast converts numbers, not bits',
  CausalConvWithState: 'no operation',
  Col2Im: 'no operation',
  Constant: 'a value, not a computation',
  Det: 'no operation',
  FlexAttention: 'no operation',
  Hardmax: 'argmax, then oneHot',
  ImageDecoder: 'a matter of @firelight/data',
  LinearAttention: 'no operation',
  MelWeightMatrix: 'no operation',
  RotaryEmbedding: 'no operation',
  SwiGLU: 'silu, then mul',
  TensorScatter: 'scatterNd at positions that are computed first',
};
