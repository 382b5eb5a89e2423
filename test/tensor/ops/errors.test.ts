import {
  add,
  arange,
  argmax,
  assign,
  avgPool2d,
  BackendError,
  batchNorm2d,
  batchNorm2dBranches,
  broadcastTo,
  cast,
  concat,
  conv2d,
  conv2dBranches,
  DTypeError,
  dropout,
  FirelightError,
  full,
  gather,
  globalAvgPool2d,
  gradCheck,
  greater,
  leakyRelu,
  matmul,
  max,
  maxPool2d,
  min,
  momentumStep,
  oneHot,
  ones,
  pad,
  permute,
  rand,
  reshape,
  ShapeError,
  setBackend,
  slice,
  softmax,
  softmaxCrossEntropy,
  stack,
  sum,
  type TensorData,
  tensor,
  ValueError,
  where,
  zeros,
} from '@firelight/tensor';
import { expect, test } from 'vitest';

const image = zeros([2, 3, 8, 8]);
const weight = zeros([4, 3, 3, 3]);
const int = (values: number[]) => tensor(values, { dtype: 'int32' });
const channels = (count: number) => zeros([count]);
const statistics = { runningMean: channels(3), runningVariance: channels(3) };

/** Parameters and statistics of a branch of a norm. */
const branch = (count: number) => ({
  weight: channels(count),
  bias: channels(count),
  runningMean: channels(count),
  runningVariance: channels(count),
});

const momentum = { learningRate: 1, momentum: 0, weightDecay: 0, lossScale: 1, nesterov: false };

function nestedInItself(): TensorData {
  const list: TensorData[] = [];
  list.push(list);
  return list;
}

type Kind = new (message: string) => Error;

test('a shape error names the rule, both values, and the shapes with their layouts', () => {
  expect(() => conv2d(zeros([32, 3, 32, 32]), zeros([64, 16, 3, 3]))).toThrow(
    new ShapeError(
      'conv2d: input has 3 channels, weight expects 16\n' +
        '  input  [32, 3, 32, 32]  as [N, C, H, W]\n' +
        '  weight [64, 16, 3, 3]   as [O, I, kH, kW]',
    ),
  );
});

test.each<[act: () => unknown, kind: Kind, message: RegExp]>([
  [
    () => conv2d(image, weight, null, { groups: 3 }),
    ValueError,
    /divides the 4 output channels, got 3/,
  ],
  [
    () => conv2d(image, weight, null, { groups: 2 }),
    ShapeError,
    /weight expects 6 \(3 in each of 2 gr/,
  ],
  [
    () => conv2d(image, weight, channels(3)),
    ShapeError,
    /bias must have one element .* 4 output ch/,
  ],
  [
    () => conv2d(image, zeros([4, 3, 9, 3])),
    ShapeError,
    /window of 9 × 3 does not fit .* 8 × 8 with pad/,
  ],
  [() => conv2d(image, weight, null, { dilation: 4 }), ShapeError, /window of 9 × 9 does not fit/],
  [
    () => conv2d(image, weight, null, { stride: 0 }),
    ValueError,
    /stride must be integers ≥ 1, got \[0, 0\]/,
  ],
  [
    () => conv2d(image, weight, null, { padding: -1 }),
    ValueError,
    /padding must be integers ≥ 0, got/,
  ],
  [
    () => conv2d(image, weight, null, { padding: [1, 2, 3] as unknown as number }),
    ValueError,
    /padding must be a number, \[h, w\], \[top, bottom, left, right\], 'same', 'same-lower' or 'valid', got \[1, 2, 3\]/,
  ],
  [
    () => conv2d(zeros([3, 8, 8]), weight),
    ShapeError,
    /input must have 4 axes \[N, C, H, W\], got 3/,
  ],
  [
    () => conv2d(image, zeros([4, 3])),
    ShapeError,
    /weight must have 4 axes \[O, I, kH, kW\], got 2/,
  ],
  [
    () => conv2d(image, zeros([4, 3, 3, 3], { dtype: 'float64' })),
    DTypeError,
    /needs float32 or float64, the same for all; got input float32, weight float64/,
  ],
  [
    () => maxPool2d(image, { kernelSize: 9 }),
    ShapeError,
    /maxPool2d: a window of 9 × 9 does not fit/,
  ],
  [
    () => avgPool2d(image, { kernelSize: 2, padding: 2 }),
    ValueError,
    /padding \[2, 2, 2, 2\] must be small/,
  ],
  [() => maxPool2d(image, { kernelSize: 0 }), ValueError, /kernelSize must be integers ≥ 1/],
  [
    () => maxPool2d(zeros([1, 1, 0, 5]), { kernelSize: 3, padding: 2 }),
    ShapeError,
    /maxPool2d: needs images of at least one pixel, or the windows would hold none/,
  ],
  [
    () => avgPool2d(zeros([1, 1, 5, 0]), { kernelSize: 3, padding: 2 }),
    ShapeError,
    /avgPool2d: needs images of at least one pixel/,
  ],
  [() => globalAvgPool2d(zeros([2, 2])), ShapeError, /globalAvgPool2d: input must have 4 axes/],
  [
    () => add(zeros([3, 4]), zeros([3])),
    ShapeError,
    /add: shapes do not broadcast: .*\n {2}a \[3, 4\]\n {2}b \[3\]/,
  ],
  [() => matmul(zeros([2, 3]), zeros([2, 3])), ShapeError, /a has 3 columns, b 2 rows/],
  [
    () => matmul(zeros([2, 2, 3]), zeros([4, 3, 2])),
    ShapeError,
    /leading \(batch\) axes do not broadcast/,
  ],
  [() => matmul(tensor(1), zeros([2])), ShapeError, /multiply by a scalar with mul/],
  [() => matmul(int([1]), zeros([1])), DTypeError, /got a int32, b float32/],
  [() => reshape(zeros([2, 3]), [4]), ShapeError, /6 elements do not fill shape \[4\]/],
  [() => reshape(zeros([2, 3]), [4, -1]), ShapeError, /do not fill shape \[4, -1\]/],
  [() => reshape(zeros([0]), [0, -1]), ShapeError, /do not fill/],
  [() => reshape(zeros([4]), [-1, -1]), ValueError, /at most one of them −1, got \[-1, -1\]/],
  [() => permute(zeros([2, 3]), [0, 0]), ShapeError, /axes \[0, 0\] must name each axis once/],
  [() => permute(zeros([2, 3]), [0]), ShapeError, /must name each axis once/],
  [() => concat([]), ValueError, /concat: needs at least one tensor/],
  [() => concat([zeros([2, 3]), zeros([2, 4])]), ShapeError, /agree on every axis but axis 0/],
  [() => stack([]), ValueError, /stack: needs at least one tensor/],
  [() => stack([zeros([2]), zeros([3])]), ShapeError, /all shapes must be equal/],
  [() => stack([zeros([2])], 2), ValueError, /axis must be an integer in \[-2, 2\).*got 2/],
  [() => slice(zeros([2]), [null, null]), ShapeError, /2 ranges for 1 axes/],
  [
    () => slice(zeros([2]), [[0, 1, 0]]),
    ValueError,
    /the range of axis 0 must be integers.*\[0, 1, 0\]/,
  ],
  [() => pad(zeros([2]), []), ShapeError, /a pair \[before, after\] for each of 1 axes, got 0/],
  [() => pad(zeros([2]), [[-2, -1]]), ShapeError, /\[-2, -1\] do not fit axis 0 of length 2/],
  [() => pad(zeros([2]), [[0.5, 0]]), ValueError, /margins must be pairs of integers, got/],
  [() => gather(zeros([2]), int([2])), ShapeError, /index 2 is outside axis 0 of length 2/],
  [() => gather(zeros([2]), zeros([1])), DTypeError, /indices must be integers, got float32/],
  [() => broadcastTo(zeros([2]), [3]), ShapeError, /the input does not stretch to \[3\]/],
  [() => broadcastTo(zeros([2, 2]), [2]), ShapeError, /does not stretch to \[2\]/],
  [() => where(zeros([2]), 1, 2), DTypeError, /condition must be bool .* got float32/],
  [
    () => where(greater(zeros([2]), 0), zeros([3]), 0),
    ShapeError,
    /does not broadcast with the values/,
  ],
  [() => sum(zeros([2, 2]), 2), ValueError, /sum: axis must be an integer in \[-2, 2\).*got 2/],
  [() => sum(zeros([2, 2]), [0, -2]), ShapeError, /axes 0, 0 name an axis twice/],
  [() => max(zeros([0])), ShapeError, /max: needs at least one element along the axes it reduces/],
  [() => min(zeros([2, 0]), 1), ShapeError, /min: needs at least one element/],
  [() => argmax(zeros([0])), ShapeError, /argmax: needs at least one element/],
  [() => softmax(zeros([2]), 1), ValueError, /softmax: axis must be/],
  [
    () => softmaxCrossEntropy(zeros([2, 3]), int([0, 3])),
    ValueError,
    /label 3 of sample 1 is outside \[0, 3\)/,
  ],
  [() => softmaxCrossEntropy(zeros([2, 3]), int([0])), ShapeError, /2 rows of logits, 1 labels/],
  [() => softmaxCrossEntropy(zeros([2, 3]), zeros([2])), DTypeError, /labels must be integers/],
  [
    () => softmaxCrossEntropy(zeros([2]), int([0, 1])),
    ShapeError,
    /logits must have axes \[N, C\], or more/,
  ],
  [() => dropout(image, { p: 1 }), ValueError, /p must be in \[0, 1\), got 1/],
  [() => dropout(int([1])), DTypeError, /dropout: needs float32 or float64/],
  [
    () => batchNorm2d(image, channels(4), channels(3), statistics),
    ShapeError,
    /weight must have one element for each of 3 channels/,
  ],
  [
    () => batchNorm2d(zeros([1, 3, 1, 1]), channels(3), channels(3), statistics),
    ShapeError,
    /training needs more than one element in each channel/,
  ],
  [
    () => batchNorm2d(image, channels(3), channels(3), { ...statistics, momentum: 2 }),
    ValueError,
    /momentum must be in \[0, 1\], got 2/,
  ],
  [() => oneHot(int([3]), 3), ValueError, /label 3 is outside \[0, 3\)/],
  [() => oneHot(int([0]), 0), ValueError, /numClasses must be an integer ≥ 1, got 0/],
  [
    () => oneHot(zeros([1]), 2),
    DTypeError,
    /must be integers, got float32; make them with dtype: 'int32'/,
  ],
  [() => assign(zeros([2]), zeros([3])), ShapeError, /assign: shapes must be equal/],
  [
    () => momentumStep(zeros([2]), zeros([3]), zeros([2]), momentum),
    ShapeError,
    /momentumStep: shapes must be equal/,
  ],
  [() => tensor([[1], [2, 3]]), ShapeError, /ragged: expected an array of 1, found an array of 2/],
  [
    () => tensor([1, [2]] as TensorData),
    ShapeError,
    /ragged: expected a single value, found an array of 1/,
  ],
  [
    () => tensor([[1], 2] as TensorData),
    ShapeError,
    /expected an array of 1, found a single value/,
  ],
  [
    () => tensor(['a'] as unknown as TensorData),
    DTypeError,
    /elements of data must be numbers or booleans, got 'a'/,
  ],
  [() => tensor(ones([2]) as never), DTypeError, /is a tensor already; use it as it is, or detach/],
  [() => tensor([ones([2])] as never), DTypeError, /; join tensors with stack\(\) or concat\(\)/],
  [() => tensor(nestedInItself()), ShapeError, /data is nested more than 64 deep/],
  [() => tensor([1, 2], { shape: [3] }), ShapeError, /2 elements do not fill shape \[3\]/],
  [
    () => tensor([1], { dtype: 'int32', requiresGrad: true }),
    DTypeError,
    /requiresGrad needs dtype float/,
  ],
  [() => zeros([-1]), ValueError, /zeros: shape must be a list of integers ≥ 0, got \[-1\]/],
  [() => full([1.5], 0), ValueError, /got \[1.5\]/],
  [() => arange(0, 1, 0), ValueError, /needs finite bounds and step ≠ 0/],
  [() => arange('3' as never), ValueError, /needs finite bounds and step ≠ 0, got 0, '3', 1/],
  [() => rand([2], { dtype: 'int32' }), DTypeError, /needs dtype float32 or float64, got int32/],
  [
    () => rand([2], { generator: 3 as never }),
    ValueError,
    /rand: generator must be a Generator, got 3/,
  ],
  [
    () => zeros([2], { dtype: 'float8' as never }),
    DTypeError,
    /there is no dtype 'float8'; use bool, uint8, int8, uint16, int32, .*, float32, float64$/,
  ],
  [() => cast(ones([2]), null as never), DTypeError, /cast: there is no dtype null/],
  [
    () => ones([2], { requiresGrad: 1 as never }),
    ValueError,
    /requiresGrad must be true or false, got 1/,
  ],
  [() => full([2], '3' as never), DTypeError, /full: value must be a number or a boolean, got '3'/],
  [
    () => zeros([2 ** 20, 2 ** 20]),
    ValueError,
    /has more than 2147483647 elements; split the work/,
  ],
  [
    () => sum(image, 0, { keepdims: true } as never),
    ValueError,
    /sum: there is no option 'keepdims' \(did you mean 'keepDims'\?\); there is keepDims/,
  ],
  [
    () => sum(image, 0, null as never),
    ValueError,
    /sum: options must be an object with any of keepDims, got null/,
  ],
  [() => sum(image, '1' as never), ValueError, /axis must be an integer in .*, got '1'/],
  [
    () => max(image, 0, { keepDims: 'no' as never }),
    ValueError,
    /keepDims must be true or false, got 'no'/,
  ],
  [
    () => permute(image, 'abcd' as never),
    ValueError,
    /axes must be a list of integers, got 'abcd'/,
  ],
  [() => reshape(image, null as never), ValueError, /shape must be a list of integers, got null/],
  [() => slice(image, [3] as never), ValueError, /the range of axis 0 must be .*, got 3/],
  [
    () => slice(image, 3 as never),
    ValueError,
    /ranges must be a list of \[start, end, step\], got 3/,
  ],
  [() => pad(zeros([2]), [3] as never), ValueError, /margins must be pairs of integers, got 3/],
  [() => pad(zeros([2]), 3 as never), ValueError, /margins must be a list of .*, got 3/],
  [() => concat(new Array(1)), DTypeError, /tensors\[0\] must be a tensor.*, got undefined/],
  [() => zeros(new Array(1)), ValueError, /zeros: shape must be a list of .*, got \[undefined\]/],
  [() => concat(image as never), DTypeError, /tensors must be an array of tensors, got an object/],
  [
    () => leakyRelu(image, { negativeSlope: Number.NaN }),
    ValueError,
    /negativeSlope must be a finite number, got NaN/,
  ],
  [() => dropout(image, { p: '0.5' as never }), ValueError, /p must be in \[0, 1\), got '0.5'/],
  [
    () => conv2d(image, weight, null, { stride: [1, 2, 3] as never }),
    ValueError,
    /stride must be a number or \[h, w\], got \[1, 2, 3\]/,
  ],
  [
    () => conv2d(image, weight, null, { dilation: 2 ** 30 }),
    ValueError,
    /dilation must be at most 16777216/,
  ],
  [
    () => conv2d(image, weight, null, { activation: 'tanh' as never }),
    ValueError,
    /activation must be 'none' or 'relu', got 'tanh'/,
  ],
  [() => conv2d(image, weight, null, 1 as never), ValueError, /options must be an object, got 1/],
  [
    () => conv2dBranches(image, []),
    ValueError,
    /conv2dBranches: needs at least one branch, got none/,
  ],
  [
    () => conv2dBranches(image, new Array(1)),
    ValueError,
    /options must be an object with any of weight, .*, got undefined/,
  ],
  [() => conv2dBranches(image, 1 as never), ValueError, /branches must be an array, got 1/],
  [
    () => maxPool2d(image, { kernelSize: 2, ceilMode: 'yes' as never }),
    ValueError,
    /ceilMode must be true or false, got 'yes'/,
  ],
  [
    () => batchNorm2d(image, channels(3), channels(3), { ...statistics, epsilon: -1 }),
    ValueError,
    /epsilon must be a finite number ≥ 0, got -1/,
  ],
  [
    () =>
      batchNorm2d(image, channels(3), channels(3), { ...statistics, activation: 'tanh' as never }),
    ValueError,
    /batchNorm2d: activation must be 'none' or 'relu', got 'tanh'/,
  ],
  [
    () => batchNorm2d(image, channels(3), channels(3), { ...statistics, decay: 1 } as never),
    ValueError,
    /there is no option 'decay'; there is runningMean, runningVariance, training, .*, activation/,
  ],
  [
    () => batchNorm2dBranches(image, []),
    ValueError,
    /batchNorm2dBranches: needs at least one branch, got none/,
  ],
  [
    () => batchNorm2dBranches(image, new Array(2)),
    ValueError,
    /options must be an object with any of weight, .*, got undefined/,
  ],
  [() => batchNorm2dBranches(image, 1 as never), ValueError, /branches must be an array, got 1/],
  [
    () => batchNorm2dBranches(image, [branch(1), branch(3)]),
    ShapeError,
    /batchNorm2dBranches: input has 3 channels, branches have 4\n.*\n.*\n *weight of branch 1 \[3\]/,
  ],
  [
    () => batchNorm2dBranches(image, [branch(1), { ...branch(2), bias: channels(1) }]),
    ShapeError,
    /bias must have one element for each of 2 channels/,
  ],
  [
    () => batchNorm2dBranches(image, [branch(1), { ...branch(2), weight: zeros([1, 2]) }]),
    ShapeError,
    /weight must have one element for each of \d channels\n.*\n *weight +\[1, 2\] /,
  ],
  [
    () => batchNorm2d(image, channels(3), channels(3), { ...statistics, runningMean: [0, 0, 0] }),
    DTypeError,
    /runningMean must be a Tensor, because it is written to, got \[0, 0, 0\]/,
  ],
  [
    () => momentumStep(zeros([2]), zeros([2]), zeros([2]), { ...momentum, lossScale: 0 }),
    ValueError,
    /momentumStep: lossScale must be a finite number > 0, got 0/,
  ],
  [
    () => momentumStep(zeros([2]), zeros([2]), zeros([2]), { ...momentum, dampening: Number.NaN }),
    ValueError,
    /momentumStep: dampening must be a finite number, got NaN/,
  ],
  [
    () => momentumStep(int([2]), zeros([1]), zeros([1]), momentum),
    DTypeError,
    /momentumStep: needs float32 or float64.* parameter int32/,
  ],
  [
    () => sum(tensor([1], { requiresGrad: true })).backward(1 as never),
    DTypeError,
    /backward: gradient must be a Tensor, got 1/,
  ],
  [
    () => gradCheck((x) => x, [1] as never),
    DTypeError,
    /gradCheck: inputs must be a list of tensors, got \[1\]/,
  ],
  [() => ones([2]).item(), ShapeError, /needs a tensor with one element, got shape \[2\]/],
])('%s', (act, kind, message) => {
  expect(act).toThrow(kind);
  expect(act).toThrow(FirelightError);
  expect(act).toThrow(message);
});

test('an unknown backend lists those there are, and the one in use stays', async () => {
  const act = setBackend('tpu');
  await expect(act).rejects.toThrow(BackendError);
  await expect(act).rejects.toThrow(/there is no backend 'tpu'; choose one of 'reference', 'wasm'/);
  expect(ones([1]).item()).toBe(1);
});
