import {
  BatchNorm2d,
  ELU,
  Embedding,
  GELU,
  GroupNorm,
  HardSigmoid,
  HardSwish,
  Identity,
  InstanceNorm2d,
  LayerNorm,
  LeakyReLU,
  LogSoftmax,
  Mish,
  type Module,
  MultiHeadAttention,
  PReLU,
  ReLU6,
  RMSNorm,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from '@firelight/nn';
import {
  assign,
  cos,
  embedding,
  gelu,
  groupNorm,
  instanceNorm,
  layerNorm,
  logSoftmax,
  mul,
  rmsNorm,
  ShapeError,
  sin,
  softmax,
  sum,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import expected from '../../fixtures/attention/expected.json' with { type: 'json' };
import { normal } from '../../helpers/arbitraries.ts';
import { relativeError } from '../../helpers/relative-error.ts';

const float = (shape: readonly number[], seed = 1): Tensor =>
  tensor(Float32Array.from(normal(shape, seed).data), { shape });

const namesOf = (module: Module): string[] => module.namedParameters().map(([name]) => name);

describe('norms', () => {
  test('have the parameters of PyTorch, which weight decay leaves alone', () => {
    expect(namesOf(new LayerNorm({ normalizedShape: [2, 3] }))).toEqual(['weight', 'bias']);
    expect(namesOf(new LayerNorm({ normalizedShape: 3, bias: false }))).toEqual(['weight']);
    expect(namesOf(new RMSNorm({ normalizedShape: 3 }))).toEqual(['weight']);
    expect(namesOf(new GroupNorm({ numGroups: 2, numChannels: 4 }))).toEqual(['weight', 'bias']);
    expect(namesOf(new InstanceNorm2d({ numFeatures: 4 }))).toEqual([]);
    expect(namesOf(new InstanceNorm2d({ numFeatures: 4, affine: true }))).toEqual([
      'weight',
      'bias',
    ]);
  });

  test('compute what the operations do', () => {
    const x = float([2, 4, 3, 3]);
    const same = (actual: Tensor, wanted: Tensor): void => expect(actual.data).toEqual(wanted.data);
    same(
      new LayerNorm({ normalizedShape: [3, 3] }).forward(x),
      layerNorm(x, null, null, { axis: -2 }),
    );
    same(
      new RMSNorm({ normalizedShape: 3, epsilon: 0.1 }).forward(x),
      rmsNorm(x, null, { epsilon: 0.1 }),
    );
    same(new GroupNorm({ numGroups: 2, numChannels: 4 }).forward(x), groupNorm(x, 2));
    same(new InstanceNorm2d({ numFeatures: 4, affine: true }).forward(x), instanceNorm(x));
  });

  const x4 = float([2, 4, 3, 3]);
  test.each<[name: string, layer: Module, other: Module, state: string[]]>([
    [
      'LayerNorm',
      new LayerNorm({ normalizedShape: [3, 3], affine: false }),
      new LayerNorm({ normalizedShape: [3, 3] }),
      [],
    ],
    [
      'RMSNorm',
      new RMSNorm({ normalizedShape: 3, affine: false }),
      new RMSNorm({ normalizedShape: 3 }),
      [],
    ],
    [
      'GroupNorm',
      new GroupNorm({ numGroups: 2, numChannels: 4, affine: false }),
      new GroupNorm({ numGroups: 2, numChannels: 4 }),
      [],
    ],
    [
      'BatchNorm2d',
      new BatchNorm2d({ numFeatures: 4, affine: false }),
      new BatchNorm2d({ numFeatures: 4 }),
      ['running_mean', 'running_var'],
    ],
  ])(
    '%s without affine has no parameters, and computes as one that starts',
    (...[, a, b, state]) => {
      expect(Object.keys(a.stateDict())).toEqual(state);
      expect(a.parameters()).toEqual([]);
      const results = [a, b].map((layer) => {
        const x = tensor(x4.data, { shape: x4.shape, requiresGrad: true });
        const y = layer.forward(x);
        sum(mul(y, sin(x4))).backward();
        return [y.data, x.grad?.data];
      });
      expect(results[0]).toEqual(results[1]);
      expect(() => a.forward(zeros([2, 2, 4, 4]))).toThrow(ShapeError);
    },
  );

  test('say which axes or channels they need', () => {
    const layer = new LayerNorm({ normalizedShape: [3, 3], affine: false });
    expect(() => layer.forward(zeros([2, 3, 4]))).toThrow(
      'LayerNorm: needs [..., 3, 3], as normalizedShape says, got [2, 3, 4]',
    );
    expect(() => new RMSNorm({ normalizedShape: [2, 3] }).forward(zeros([3]))).toThrow(
      'RMSNorm: needs [..., 2, 3], as normalizedShape says, got [3]',
    );
    const groups = new GroupNorm({ numGroups: 2, numChannels: 4 });
    expect(() => groups.forward(zeros([2, 6]))).toThrow('GroupNorm: needs [N, 4, ...], got [2, 6]');
  });

  test('refuse sizes that cannot be', () => {
    expect(() => new GroupNorm({ numGroups: 3, numChannels: 4 })).toThrow(
      /a multiple of numGroups/,
    );
    expect(() => new LayerNorm({ normalizedShape: -1 })).toThrow(ValueError);
    expect(() => new InstanceNorm2d({ numFeatures: 0 })).toThrow(/integer ≥ 1, got 0/);
    expect(() => groupNorm(float([2, 4]), 3)).toThrow(/3 groups do not divide 4 channels/);
    expect(() => layerNorm(float([2, 4]), [1, 2])).toThrow(/weight must have shape \[4\]/);
  });
});

describe('MultiHeadAttention is that of PyTorch', () => {
  const made = (shape: readonly number[], seed: number, requiresGrad = false): Tensor => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float64Array.from({ length: size }, (_, i) => Math.sin(i + seed) / 2);
    return tensor(values, { shape, dtype: 'float32', requiresGrad });
  };

  test.each(['self', 'cross'] as const)('%s-attention', (kind) => {
    const layer = new MultiHeadAttention({ embedDim: 6, numHeads: 2 });
    layer.namedParameters().forEach(([, parameter], seed) => {
      assign(parameter, made(parameter.shape, seed));
    });
    const query = made([2, 3, 6], 10, true);
    const others = kind === 'self' ? {} : { key: made([2, 4, 6], 11), value: made([2, 4, 6], 12) };
    const y = layer.forward(query, { ...others, isCausal: true });
    sum(
      mul(
        y,
        cos(
          tensor(
            Float32Array.from({ length: y.size }, (_, i) => i),
            { shape: y.shape },
          ),
        ),
      ),
    ).backward();
    const { output, query: gradient, gradients } = expected[kind];
    expect(relativeError(y.data, output)).toBeLessThan(1e-5);
    expect(relativeError(query.grad?.data ?? [], gradient)).toBeLessThan(1e-5);
    const actual = Object.fromEntries(layer.namedParameters());
    expect(Object.keys(actual)).toEqual(Object.keys(gradients));
    for (const [name, values] of Object.entries(gradients)) {
      expect(relativeError(actual[name].grad?.data ?? [], values), name).toBeLessThan(1e-5);
    }
  });

  test('says what is wrong', () => {
    expect(() => new MultiHeadAttention({ embedDim: 6, numHeads: 4 })).toThrow(
      /numHeads \(=4\) divides/,
    );
    const layer = new MultiHeadAttention({ embedDim: 6, numHeads: 2, bias: false });
    expect(namesOf(layer)).toEqual(['in_proj_weight', 'out_proj.weight']);
    expect(() => layer.forward(float([2, 3, 5]))).toThrow(ShapeError);
  });
});

describe('layers', () => {
  test.each([0, -3])('Embedding trains the rows that are looked up, but for padding', (row) => {
    const layer = new Embedding({
      numEmbeddings: 3,
      embeddingDim: 2,
      paddingIndex: row,
      weightInit: 1,
    });
    expect(layer.weight.toArray()).toEqual([
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
    const y = layer.forward(tensor([[0, 2]], { dtype: 'int32' }));
    expect(y.shape).toEqual([1, 2, 2]);
    sum(y).backward();
    expect(layer.weight.grad?.toArray()).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
    expect(() => layer.forward(tensor([3], { dtype: 'int32' }))).toThrow(
      /index 3 is outside \[0, 3\)/,
    );
  });

  test.each([3, -4, 0.5])('Embedding refuses padding %d', (paddingIndex) => {
    const message = `must be an integer in [-3, 3), got ${paddingIndex}`;
    const make = () => new Embedding({ numEmbeddings: 3, embeddingDim: 2, paddingIndex });
    expect(make).toThrow(ValueError);
    expect(make).toThrow(message);
    const look = () => embedding([0], zeros([3, 2]), { paddingIndex });
    expect(look).toThrow(ValueError);
    expect(look).toThrow(message);
  });

  test('activations are their functions', () => {
    const x = float([3, 4]);
    const known: readonly [Module, readonly number[]][] = [
      [new Identity(), [-2, 0.5, 8]],
      [new ReLU6(), [0, 0.5, 6]],
      [new LeakyReLU({ negativeSlope: 0.5 }), [-1, 0.5, 8]],
      [new ELU({ alpha: 2 }), [2 * Math.expm1(-2), 0.5, 8]],
      [new HardSigmoid(), [1 / 6, 3.5 / 6, 1]],
      [new HardSwish(), [-1 / 3, 1.75 / 6, 8]],
      [new Tanh(), [-2, 0.5, 8].map(Math.tanh)],
      [new Softplus(), [-2, 0.5, 8].map((v) => Math.log1p(Math.exp(v)))],
      [new Sigmoid(), [-2, 0.5, 8].map((v) => 1 / (1 + Math.exp(-v)))],
      [new SiLU(), [-2, 0.5, 8].map((v) => v / (1 + Math.exp(-v)))],
      [new Mish(), [-2, 0.5, 8].map((v) => v * Math.tanh(Math.log1p(Math.exp(v))))],
      [new SELU(), [1.0507009873554805 * 1.6732632423543772 * Math.expm1(-2), 0.52535, 8.40561]],
      [new PReLU(), [-0.5, 0.5, 8]],
    ];
    for (const [layer, values] of known) {
      const y = layer.forward(tensor([-2, 0.5, 8])).data;
      for (const [i, value] of values.entries()) {
        expect(y[i], layer.constructor.name).toBeCloseTo(value, 4);
      }
    }
    expect(new Softmax().forward(x).data).toEqual(softmax(x).data);
    expect(new LogSoftmax({ axis: 0 }).forward(x).data).toEqual(logSoftmax(x, 0).data);
    expect(new GELU({ approximate: 'tanh' }).forward(x).data).toEqual(
      gelu(x, { approximate: 'tanh' }).data,
    );
    expect(namesOf(new PReLU({ numParameters: 4 }))).toEqual(['weight']);
    expect(sin(x).shape).toEqual([3, 4]);
  });
});
