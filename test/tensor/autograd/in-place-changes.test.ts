import {
  AutogradError,
  add,
  assign,
  batchNorm2d,
  batchNorm2dBranches,
  conv2d,
  conv2dBranches,
  defineOp,
  div,
  Generator,
  gather,
  greater,
  matmul,
  maximum,
  mean,
  momentumStep,
  mul,
  type NdArray,
  noGrad,
  ones,
  ReleasedError,
  randn,
  relu,
  reshape,
  setBackend,
  softmaxCrossEntropy,
  sum,
  Tensor,
  tensor,
  tidy,
  where,
  zeros,
} from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OP_CASES } from '../ops/op-cases/index.ts';
import type { OpCall } from '../ops/op-cases/op-case.ts';
import { POINTWISE_FUNCTIONS } from '../ops/pointwise-functions.ts';
import { UNARY_FUNCTIONS } from '../ops/unary-functions.ts';

// A change in place between forward and backward gives the gradient of before, or an error.

const PROPERTY = { seed: 20161104, numRuns: 20 };
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** The gradients by all inputs, where `change` is called between forward and backward. */
function gradients(
  { run, inputs }: OpCall,
  change: (leaves: readonly Tensor[], output: Tensor) => void = () => {},
): number[][] {
  const leaves = inputs.map((input) =>
    tensor(input.data, { shape: input.shape, dtype: 'float32', requiresGrad: true }),
  );
  const output = run(...leaves);
  change(leaves, output);
  const weights = Float32Array.from({ length: output.size }, (_, i) => Math.cos(i));
  output.backward(tensor(weights, { shape: output.shape }));
  return leaves.map(({ grad }) => Array.from(grad?.data ?? []));
}

/** Numbers that differ from those of any case. */
const otherValues = ({ size }: Tensor): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => 3 + Math.sin(i));

type Kept = 'nothing' | 'inputs' | 'output';

/** Which of its arrays an operation's gradient is computed from, in some of its calls. */
const KEPT: Readonly<Record<string, readonly Kept[]>> = {
  ...Object.fromEntries(Object.entries(UNARY_FUNCTIONS).map(([op, { kept }]) => [op, [kept]])),
  ...Object.fromEntries(
    Object.entries(POINTWISE_FUNCTIONS).map(([op, { keepsOutput }]) => [
      op,
      [keepsOutput ? ('output' as const) : ('inputs' as const)],
    ]),
  ),
  add: ['nothing'],
  avgPool2d: ['nothing'],
  batchNorm2d: ['inputs'],
  broadcastTo: ['nothing'],
  cast: ['nothing'],
  concat: ['nothing'],
  conv2d: ['inputs'],
  convTranspose2d: ['inputs'],
  cumsum: ['nothing'],
  div: ['inputs', 'output'],
  dropout: ['nothing'],
  gather: ['nothing'],
  multiplyAxis: ['nothing'],
  logSoftmax: ['output'],
  matmul: ['inputs'],
  max: ['inputs', 'output'],
  maxPool2d: ['nothing'],
  maxUnpool2d: ['nothing'],
  maximum: ['inputs'],
  mean: ['nothing'],
  min: ['inputs', 'output'],
  minimum: ['inputs'],
  normalizeRows: ['inputs'],
  mod: ['inputs', 'output'],
  mul: ['inputs'],
  pad: ['nothing'],
  permute: ['nothing'],
  pow: ['inputs', 'output'],
  reshape: ['nothing'],
  scatter: ['inputs', 'output'],
  slice: ['nothing'],
  softmax: ['output'],
  softmaxCrossEntropy: ['inputs'],
  sub: ['nothing'],
  sum: ['nothing'],
  where: ['nothing'],
};

describe.each(['reference', 'wasm'])('on %s', (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend('wasm'));

  /** What some call refused to have changed, of all inputs and the output of every call. */
  const refused = new Map<string, Set<Kept>>();

  test.each(OP_CASES.map((opCase, i) => ({ ...opCase, name: `${opCase.op} (${i})` })))(
    '$name: right or refused',
    ({ op, calls }) => {
      const own = refused.get(op) ?? new Set();
      refused.set(op, own);
      const expectRightOrRefused = (
        call: OpCall,
        expected: number[][],
        kept: Kept,
        change: (leaves: readonly Tensor[], output: Tensor) => void,
      ): void => {
        let actual: number[][];
        try {
          actual = gradients(call, change);
        } catch (error) {
          expect(error).toBeInstanceOf(AutogradError);
          own.add(kept);
          return;
        }
        expect(actual).toEqual(expected);
      };
      fc.assert(
        fc.property(calls, (call) => {
          const expected = gradients(call);
          call.inputs.forEach((_, i) => {
            expectRightOrRefused(call, expected, 'inputs', (leaves) =>
              assign(leaves[i], otherValues(leaves[i])),
            );
          });
          expectRightOrRefused(call, expected, 'output', (_, output) =>
            assign(output, otherValues(output)),
          );
        }),
        PROPERTY,
      );
    },
  );

  test('refused is what a gradient is computed from, and nothing else', () => {
    const found = [...refused].map(([op, kept]): [string, Kept[]] => [
      op,
      kept.size === 0 ? ['nothing'] : [...kept].sort(),
    ]);
    expect(Object.fromEntries(found)).toEqual(KEPT);
  });
});

const CHANGED = /was changed in place after the forward pass/;

describe('what is refused', () => {
  test('is named, with the operation, the shape and the remedy', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const product = sum(mul(a, b));
    assign(b, [5, 6]);
    expect(() => product.backward()).toThrow(AutogradError);
    const again = sum(mul(a, b));
    assign(b, [7, 8]);
    expect(() => again.backward()).toThrow(
      "backward of mul: its input 'b' [2] was changed in place after the forward pass (by an " +
        'optimizer, assign or loading, say), so the gradient would be wrong; call backward() before ' +
        'the change, or run the forward pass again after it',
    );
    const y = relu(a);
    const total = sum(y);
    assign(y, 1);
    expect(() => total.backward()).toThrow('backward of relu: its output [2] was changed');
    const x = leaf([1, 2]);
    const z = sum(mul(x, x));
    assign(x, 1);
    expect(() => z.backward()).toThrow(/backward of mul: its input '[ab]' \[2\] was changed/);
  });

  test('leaves gradients as they were, and a new forward pass goes on', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    sum(mul(a, b)).backward();
    const stale = add(sum(mul(a, b)), sum(a));
    assign(b, 1);
    expect(() => stale.backward()).toThrow(CHANGED);
    expect(a.grad?.toArray()).toEqual([3, 4]);
    expect(b.grad?.toArray()).toEqual([1, 2]);
    sum(mul(a, b)).backward();
    expect(a.grad?.toArray()).toEqual([4, 5]);
  });

  test('may share memory with what was changed', () => {
    const changes: ((x: Tensor) => void)[] = [
      (x) => assign(x, 9),
      (x) => assign(x.detach(), 9),
      (x) => assign(reshape(x, [2, 1]), 9),
      (x) => noGrad(() => assign(x, x)),
      (x) => momentumStep(x, zeros([2]), ones([2]), { ...MOMENTUM, learningRate: 0.5 }),
      (x) => momentumStep(zeros([2]), x, ones([2]), MOMENTUM),
      (x) => tidy(() => assign(x, tensor([9, 9]))),
    ];
    for (const change of changes) {
      const x = leaf([1, 2]);
      const y = sum(mul(reshape(x, [1, 2]), reshape(x, [1, 2])));
      change(x);
      expect(() => y.backward()).toThrow(CHANGED);
    }
  });

  test('are labels, indices and frozen statistics too', () => {
    const labels = tensor([0, 1], { dtype: 'int32' });
    const logits = randn([2, 3], { requiresGrad: true });
    const loss = sum(softmaxCrossEntropy(logits, labels));
    assign(labels, [1, 1]);
    expect(() => loss.backward()).toThrow(
      "softmaxCrossEntropy: its input 'labels' [2] was changed",
    );

    const indices = tensor([0, 1], { dtype: 'int32' });
    const picked = sum(gather(logits, indices));
    assign(indices, 0);
    expect(() => picked.backward()).toThrow("gather: its input 'indices' [2] was changed");

    const x = leaf([1, -2]);
    const condition = greater(x, 0);
    const chosen = sum(where(condition, x, 0));
    assign(condition, [false, true]);
    expect(() => chosen.backward()).toThrow("where: its input 'condition' [2] was changed");

    const [runningMean, runningVariance] = [zeros([2]), ones([2])];
    const images = randn([3, 2, 2, 2], { requiresGrad: true });
    const [weight, bias] = [ones([2]), zeros([2])];
    const frozen = { runningMean, runningVariance, training: false };
    const evaluated = mean(batchNorm2d(images, weight, bias, frozen));
    batchNorm2d(images, weight, bias, { ...frozen, training: true }); // Moves the statistics.
    expect(() => evaluated.backward()).toThrow(/batchNorm2d: '(mean|variance)' \[2\] was changed/);
  });

  test('is the bias of a norm where a ReLU needs it', () => {
    const statistics = { runningMean: zeros([2]), runningVariance: ones([2]) };
    const x = randn([3, 2, 2, 2], { requiresGrad: true });
    const bias = zeros([2]);
    const norm = (activation: 'none' | 'relu'): Tensor =>
      sum(batchNorm2d(x, ones([2]), bias, { ...statistics, activation }));
    const [plain, rectified] = [norm('none'), norm('relu')];
    assign(bias, 1);
    plain.backward();
    expect(() => rectified.backward()).toThrow("batchNorm2d: its input 'bias' [2] was changed");
  });

  test('is not a parameter of a branch of a norm, which was copied', () => {
    const x = randn([3, 3, 2, 2], { generator: new Generator(1), requiresGrad: true });
    const gradient = (change: (parameters: readonly Tensor[]) => void): number[] => {
      const branches = [1, 2].map((channels) => ({
        weight: ones([channels]),
        bias: zeros([channels]),
        runningMean: zeros([channels]),
        runningVariance: ones([channels]),
      }));
      const y = batchNorm2dBranches(x, branches, { training: false, activation: 'relu' });
      change(branches.flatMap((branch) => Object.values(branch)));
      x.grad = null;
      y.backward(ones(y.shape));
      return Array.from((x.grad as Tensor | null)?.data ?? []);
    };
    const changed = gradient((parameters) => {
      for (const parameter of parameters) assign(parameter, 7);
    });
    expect(changed).toEqual(gradient(() => {}));
  });

  test('is not what the batch itself was normalized by', () => {
    const statistics = { runningMean: zeros([2]), runningVariance: ones([2]) };
    const x = randn([3, 2, 2, 2], { requiresGrad: true });
    const step = (): Tensor => sum(mul(batchNorm2d(x, ones([2]), zeros([2]), statistics), 2));
    const first = step();
    step();
    expect(() => first.backward()).not.toThrow();
  });

  test('is only what the gradients that are needed are computed from', () => {
    const [x, w] = [tensor([1, 2]), leaf([3, 4])];
    const byWeight = sum(mul(x, w));
    assign(w, 0);
    byWeight.backward();
    expect(w.grad?.toArray()).toEqual([1, 2]);
    const changed = sum(mul(x, w));
    assign(x, 0);
    expect(() => changed.backward()).toThrow("mul: its input 'a'");

    const product = sum(matmul(x, reshape(w, [2, 1])));
    assign(w, 1);
    expect(() => product.backward()).not.toThrow();
  });

  test('is found in lists: the branches of a convolution', () => {
    const x = randn([1, 2, 3, 3], { requiresGrad: true });
    const weights = [0, 1].map(() => randn([2, 2, 1, 1], { requiresGrad: true }));
    const branches = weights.map((weight) => ({ weight, bias: null }));
    const y = mean(conv2dBranches(x, branches));
    assign(weights[1], 1);
    expect(() => y.backward()).toThrow("conv2d: its input 'weight' [2, 2, 1, 1] was changed");
    const bias = zeros([2], { requiresGrad: true });
    const z = sum(conv2d(x, weights[0], bias));
    assign(bias, 1);
    z.backward();
    expect(bias.grad?.toArray()).toEqual([9, 9]);
  });

  test('is also a gradient that more is added to', () => {
    const x = leaf([1, 2]);
    sum(mul(x, 3)).backward();
    const scale = leaf([5]);
    const ofGradient = sum(mul(x.grad as Tensor, scale));
    sum(mul(x, 4)).backward();
    expect(() => ofGradient.backward()).toThrow(CHANGED);
  });

  test('is also in an operation of the user', () => {
    type Saved = { readonly list: readonly NdArray[]; readonly deep: { readonly x: NdArray } };
    const squareBy = (read: (saved: Saved) => NdArray) =>
      defineOp<[NdArray], null, Saved>('square', {
        forward: ([x]) => ({
          y: mul(new Tensor(x), new Tensor(x)).array,
          saved: { list: [x], deep: { x } },
        }),
        backward: (gradOut, saved) => [
          mul(new Tensor(gradOut), mul(new Tensor(read(saved)), 2)).array,
        ],
      });
    for (const read of [({ list }: Saved) => list[0], ({ deep }: Saved) => deep.x]) {
      const square = squareBy(read);
      const x = leaf([1, 2]);
      sum(square([x], null)).backward();
      expect(x.grad?.toArray()).toEqual([2, 4]);
      const stale = sum(square([x], null));
      assign(x, 3);
      expect(() => stale.backward()).toThrow('backward of square: its input [2] was changed');
    }
  });

  test('is not what was released, which says so itself', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const y = sum(mul(a, b));
    b.dispose();
    expect(() => y.backward()).toThrow(ReleasedError);
  });

  test('is not a change before the forward pass, nor a move between memories', () => {
    const [a, b] = [leaf([6, 8]), leaf([1, 2])];
    assign(b, [3, 4]);
    const y = sum(maximum(div(a, b), 0));
    tidy(() => mul(a, b));
    expect([a.data[0], b.data[1]]).toEqual([6, 4]);
    y.backward();
    expect(a.grad?.data[0]).toBeCloseTo(1 / 3);
  });
});

const MOMENTUM = { learningRate: 0, momentum: 0, weightDecay: 0, lossScale: 1, nesterov: false };
