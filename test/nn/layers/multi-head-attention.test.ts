import { MultiHeadAttention, TransformerEncoderLayer } from '@firelight/nn';
import {
  checkpointed,
  Generator,
  mul,
  randn,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

const HEADS = 2;
const DIM = 6;
const LENGTH = 5;

const made = (seed: number, requiresGrad = false): Tensor =>
  randn([3, LENGTH, DIM], { generator: new Generator(seed), requiresGrad });

/** Attention that gives, in each feature of a head, the sum of the weights of that head. */
function sumOfWeights(dropout: number, seed: number): MultiHeadAttention {
  const generator = new Generator(seed);
  const layer = new MultiHeadAttention({ embedDim: DIM, numHeads: HEADS, dropout, generator });
  const { in_proj_weight: weight, in_proj_bias: bias, ...rest } = layer.stateDict();
  const values = (full: Tensor, value: number): Float32Array =>
    Float32Array.from(full.data, (element, i) => (i < (full.size * 2) / 3 ? element : value));
  layer.loadStateDict({
    ...rest,
    in_proj_weight: tensor(values(weight, 0), { shape: weight.shape }),
    in_proj_bias: tensor(values(bias, 1), { shape: bias.shape }),
    'out_proj.weight': tensor(
      Float32Array.from({ length: DIM * DIM }, (_, i) => (i % (DIM + 1) === 0 ? 1 : 0)),
      { shape: [DIM, DIM] },
    ),
  });
  return layer;
}

/** What `run` gives and its gradients, of inputs and parameters, by one loss. */
function gradientsOf(
  layer: MultiHeadAttention | TransformerEncoderLayer,
  run: (x: Tensor) => Tensor,
): number[] {
  const x = made(1, true);
  const y = run(x);
  sum(mul(y, made(2))).backward();
  const leaves = [x, ...layer.parameters()];
  return [...y.data, ...leaves.flatMap(({ grad }) => [...(grad?.data ?? [])])];
}

describe('MultiHeadAttention', () => {
  test('drops weights, each for all features of a head, while training alone', () => {
    const layer = sumOfWeights(0.5, 1);
    const { data } = layer.forward(made(1));
    const size = DIM / HEADS;
    for (let i = 0; i < data.length; i++) {
      expect(data[i]).toBeCloseTo(data[i - (i % size)], 5);
    }
    expect(new Set(data.map((value) => Math.round(value * 1e4))).size).toBeGreaterThan(10);
    for (const value of layer.eval().forward(made(1)).data) expect(value).toBeCloseTo(1, 5);
    layer.train().freeze();
    for (const value of layer.forward(made(1)).data) expect(value).toBeCloseTo(1, 5);
  });

  test('draws its first weights as PyTorch does', () => {
    const layer = new MultiHeadAttention({
      embedDim: 96,
      numHeads: 1,
      generator: new Generator(4),
    });
    const { in_proj_weight: weight, ...rest } = layer.stateDict();
    const largest = (x: Tensor): number => Math.max(...Array.from(x.data, Math.abs));
    const bounds: [Tensor, number][] = [
      [weight, Math.sqrt(6 / (4 * 96))],
      [rest['out_proj.weight'], 1 / Math.sqrt(96)],
    ];
    for (const [drawn, bound] of bounds) {
      expect(largest(drawn)).toBeLessThanOrEqual(bound);
      expect(largest(drawn)).toBeGreaterThan(0.99 * bound);
    }
    expect(largest(rest.in_proj_bias) + largest(rest['out_proj.bias'])).toBe(0);
  });

  test('has nothing to drop by default', () => {
    const layer = new MultiHeadAttention({ embedDim: DIM, numHeads: HEADS });
    expect(layer.forward(made(1)).data).toEqual(layer.forward(made(1)).data);
  });

  test('lets the state of its generator be saved', () => {
    const layer = sumOfWeights(0.5, 1);
    const [[name, generator]] = layer.namedGenerators();
    expect(name).toBe('');
    const state = generator.state();
    const first = layer.forward(made(1)).data;
    expect(layer.forward(made(1)).data).not.toEqual(first);
    generator.restore(state);
    expect(layer.forward(made(1)).data).toEqual(first);
  });

  test('takes as many samples as keys have, and no options that it has not', () => {
    const layer = new MultiHeadAttention({ embedDim: DIM, numHeads: HEADS });
    const query = randn([1, 2, DIM]);
    expect(layer.forward(query, { key: made(1) }).shape).toEqual([3, 2, DIM]);
    const wrong = { causal: true } as object;
    expect(() => layer.forward(query, wrong)).toThrow(
      /MultiHeadAttention: there is no option 'causal'/,
    );
  });

  test.each([1, -0.5, Number.NaN])('refuses dropout %d', (dropout) => {
    const act = () => new MultiHeadAttention({ embedDim: DIM, numHeads: HEADS, dropout });
    expect(act).toThrow(ValueError);
    expect(act).toThrow(/MultiHeadAttention: dropout must be in \[0, 1\), got/);
  });
});

const SIZES = { embedDim: DIM, numHeads: HEADS, dropout: 0.3 };

test('TransformerEncoderLayer drops weights of its attention, too', () => {
  const layer = new TransformerEncoderLayer({ ...SIZES, feedForwardDim: 4 });
  const attend = () => layer.selfAttn.forward(made(1)).data;
  expect(attend()).not.toEqual(attend());
  layer.eval();
  expect(attend()).toEqual(attend());
});

test.each([
  ['MultiHeadAttention', () => new MultiHeadAttention({ ...SIZES, generator: new Generator(2) })],
  [
    'TransformerEncoderLayer',
    () => new TransformerEncoderLayer({ ...SIZES, feedForwardDim: 4, generator: new Generator(2) }),
  ],
])('%s drops the same when it is computed again', (_, make) => {
  const run = (wrap: (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor): number[] => {
    const layer = make();
    return gradientsOf(
      layer,
      wrap((x) => layer.forward(x)),
    );
  };
  const kept = run((f) => f);
  expect(run(checkpointed)).toEqual(kept);
});
