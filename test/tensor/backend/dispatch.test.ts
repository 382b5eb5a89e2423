import {
  type DType,
  describeBackend,
  neg,
  setBackend,
  tidy,
  zeros as zerosOf,
} from '@firelight/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { kernels } from '../../../packages/tensor/src/backend/all-kernels.ts';
import type { Kernels } from '../../../packages/tensor/src/backend/contract.ts';
import { gpuBackend } from '../../../packages/tensor/src/backend/gpu/gpu-backend.ts';
import { NdArray } from '../../../packages/tensor/src/core/ndarray.ts';
import { ownKernels } from '../../helpers/own-kernels.ts';

type Name = keyof Kernels;

/** Arguments of a kernel on arrays of `n` images, rows or elements. */
type CallsOf = { readonly [K in Name]: (n: number, dtype: DType) => Parameters<Kernels[K]> };

const zeros = (...shape: number[]) => NdArray.zeros(shape, 'int32');

/** What left a scope stays in the memory of WebAssembly, if it was computed there. */
const computed = (n: number, dtype: DType) => tidy(() => neg(zerosOf([n], { dtype }))).array;

const window = {
  ...{ kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1 },
  ...{ dilationHeight: 1, dilationWidth: 1, outHeight: 2, outWidth: 2, groups: 1 },
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
};

const statistics = (dtype: DType) => ({
  mean: NdArray.zeros([3], dtype),
  variance: NdArray.zeros([3], dtype),
});

const branches = (dtype: DType) => [
  { weight: NdArray.zeros([4, 3, 1, 1], dtype), bias: null, window },
];

const CALLS: CallsOf = {
  unary: (n, dtype) => ['relu', NdArray.zeros([n], dtype), 0],
  unaryGrad: (n, dtype) => ['relu', NdArray.zeros([n], dtype), NdArray.zeros([n], dtype), 0],
  binary: (n, dtype) => ['add', NdArray.zeros([n], dtype), NdArray.zeros([1], dtype)],
  power: (n, dtype) => [NdArray.zeros([n], dtype), NdArray.zeros([n], dtype)],
  compare: (n, dtype) => ['less', NdArray.zeros([n], dtype), NdArray.zeros([n], dtype)],
  where: (n, dtype) => [
    NdArray.zeros([n], 'bool'),
    NdArray.zeros([n], dtype),
    NdArray.zeros([n], dtype),
  ],
  cast: (n, dtype) => [computed(n, dtype), 'float32'],
  reduce: (n, dtype) => ['sum', NdArray.zeros([n, 3], dtype), [1]],
  extremum: (n, dtype) => ['max', NdArray.zeros([n, 3], dtype), [1]],
  argReduce: (n, dtype) => ['argmax', NdArray.zeros([n, 3], dtype), 1],
  matmul: (n, dtype) => [
    NdArray.zeros([n, 3], dtype),
    NdArray.zeros([3, 2], dtype),
    { a: false, b: false },
  ],
  broadcastTo: (n, dtype) => [NdArray.zeros([n], dtype), [2, n]],
  permute: (n, dtype) => [NdArray.zeros([n, 3], dtype), [1, 0]],
  slice: (n, dtype) => [NdArray.zeros([n, 3], dtype), { starts: [0, 1], steps: [1, 1] }, [n, 2]],
  sliceGrad: (n, dtype) => [
    NdArray.zeros([n, 2], dtype),
    { starts: [0, 1], steps: [1, 1] },
    [n, 3],
  ],
  pad: (n, dtype) => [NdArray.zeros([n], dtype), [1], [n + 2], 5],
  concat: (n, dtype) => [[NdArray.zeros([n], dtype), NdArray.zeros([2], dtype)], 0],
  gather: (n, dtype) => [NdArray.zeros([n, 3], dtype), zeros(2), 1],
  gatherGrad: (n, dtype) => [NdArray.zeros([n, 2], dtype), zeros(2), 1, [n, 3]],
  softmax: (n, dtype) => [NdArray.zeros([n, 3], dtype), 1],
  softmaxGrad: (n, dtype) => [NdArray.zeros([n, 3], dtype), NdArray.zeros([n, 3], dtype), 1],
  logSoftmax: (n, dtype) => [NdArray.zeros([n, 3], dtype), 1],
  logSoftmaxGrad: (n, dtype) => [NdArray.zeros([n, 3], dtype), NdArray.zeros([n, 3], dtype), 1],
  softmaxCrossEntropy: (n, dtype) => [NdArray.zeros([n, 3], dtype), zeros(n)],
  softmaxCrossEntropyGrad: (n, dtype) => [
    NdArray.zeros([n, 3], dtype),
    zeros(n),
    NdArray.zeros([n], dtype),
  ],
  conv2d: (n, dtype) => [NdArray.zeros([n, 3, 2, 2], dtype), branches(dtype), 'none'],
  conv2dGrad: (n, dtype) => [
    NdArray.zeros([n, 3, 2, 2], dtype),
    null,
    NdArray.zeros([n, 4, 2, 2], dtype),
    branches(dtype),
    { x: true, branches: [{ weight: true, bias: false }] },
  ],
  maxPool2d: (n, dtype) => [NdArray.zeros([n, 3, 2, 2], dtype), window],
  maxPool2dGrad: (n, dtype) => [
    NdArray.zeros([n, 3, 2, 2], dtype),
    zeros(n, 3, 2, 2),
    [n, 3, 2, 2],
  ],
  avgPool2d: (n, dtype) => [NdArray.zeros([n, 3, 2, 2], dtype), window],
  avgPool2dGrad: (n, dtype) => [NdArray.zeros([n, 3, 2, 2], dtype), [n, 3, 2, 2], window],
  dropout: (n, dtype) => [NdArray.zeros([n], dtype), 0.5, { key: [1, 2], counter: [0, 0, 0, 0] }],
  channelMoments: (n, dtype) => [NdArray.zeros([n, 3, 2, 2], dtype)],
  batchNorm2d: (n, dtype) => [
    NdArray.zeros([n, 3, 2, 2], dtype),
    statistics(dtype),
    NdArray.zeros([3], dtype),
    NdArray.zeros([3], dtype),
    1,
    'none',
  ],
  batchNorm2dGrad: (n, dtype) => [
    NdArray.zeros([n, 3, 2, 2], dtype),
    { ...statistics(dtype), frozen: false },
    NdArray.zeros([3], dtype),
    NdArray.zeros([3], dtype),
    NdArray.zeros([n, 3, 2, 2], dtype),
    1,
  ],
  blend: (n, dtype) => [
    NdArray.zeros([n], dtype),
    NdArray.zeros([n], dtype),
    { keep: 0.5, add: 0.5 },
  ],
  momentumStep: (n, dtype) => [
    NdArray.zeros([n], dtype),
    NdArray.zeros([n], dtype),
    NdArray.zeros([n], dtype),
    { learningRate: 0.1, momentum: 0.9, weightDecay: 0, lossScale: 1, nesterov: false },
  ],
};

const long = NdArray.zeros([1, 300_000], 'float32');
const images = NdArray.zeros([1, 1, 2, 2], 'float32');
const dilated = { ...window, dilationHeight: 2 };
const DILATED = 'windows with dilation';
const LONG_LINES = 'lines of more than 262128 elements';

/** What kernels say that compute more dtypes than float32, but not float64. */
const OTHER_DTYPES: { readonly [K in Name]?: string } = {
  compare: 'other dtypes than float32, int32, uint8 and bool, or unlike ones',
  where: 'elements of two or eight bytes',
  cast: 'other dtypes than float32, int32, uint8 and bool',
};

const otherDTypes = (name: string): string =>
  OTHER_DTYPES[name as Name] ?? 'other dtypes than float32';

/** Calls that single kernels decline, by what the description says of them. */
const DECLINED: { readonly [K in Name]?: Readonly<Record<string, Parameters<Kernels[K]>>> } = {
  cast: {
    'arrays in main memory outside of tidy': [NdArray.zeros([2], 'float32'), 'int32'],
  },
  gather: {
    'few rows of a large table in main memory': [long, zeros(2), 1],
  },
  gatherGrad: { 'sums of whole numbers': [zeros(2, 2), zeros(2), 1, [2, 3]] },
  reduce: { 'reductions over no axis': ['sum', NdArray.zeros([2], 'float32'), []] },
  extremum: { 'reductions over no axis': ['max', NdArray.zeros([2], 'float32'), []] },
  softmax: { [LONG_LINES]: [long, 1] },
  softmaxGrad: { [LONG_LINES]: [long, long, 1] },
  logSoftmax: { [LONG_LINES]: [long, 1] },
  logSoftmaxGrad: { [LONG_LINES]: [long, long, 1] },
  softmaxCrossEntropy: { [LONG_LINES]: [long, zeros(1)] },
  softmaxCrossEntropyGrad: { [LONG_LINES]: [long, zeros(1), NdArray.zeros([1], 'float32')] },
  maxPool2d: { [DILATED]: [images, dilated] },
  avgPool2d: { [DILATED]: [images, dilated] },
  avgPool2dGrad: { [DILATED]: [images, [1, 1, 2, 2], dilated] },
};

type AnyKernel = (...values: readonly unknown[]) => unknown;

const BACKENDS = ['reference', 'wasm', 'gpu'] as const;

/** Where a backend has a kernel, if it does. */
function sourceOf(backend: string, name: Name): Partial<Kernels> | undefined {
  return backend === 'gpu' ? gpuBackend.kernels : ownKernels(backend, name);
}

/** The backends whose kernel of that name is called meanwhile. */
async function ranOn(backend: string, name: Name, values: readonly unknown[]): Promise<string[]> {
  const spies = BACKENDS.flatMap((source) => {
    const own = sourceOf(source, name);
    if (own?.[name] === undefined) return [];
    return [[source, vi.spyOn(own as Readonly<Record<string, AnyKernel>>, name)] as const];
  });
  for (const [, spy] of spies) spy.mockClear();
  // Dispatch is made from the kernels as they are when a backend is chosen.
  await setBackend(backend, backend === 'gpu' ? { mode: 'cpu' } : {});
  (kernels()[name] as AnyKernel)(...values);
  return spies.filter(([, spy]) => spy.mock.calls.length > 0).map(([source]) => source);
}

afterEach(async () => {
  vi.restoreAllMocks();
  await setBackend('wasm');
});

describe.each(BACKENDS)('what describeBackend says of %s is what runs', (backend) => {
  test.each(Object.keys(CALLS) as Name[])('%s', async (name) => {
    await setBackend(backend, backend === 'gpu' ? { mode: 'cpu' } : {});
    const described = describeBackend().kernels[name];
    expect(await ranOn(backend, name, CALLS[name](2, 'float32'))).toEqual([described.backend]);

    const calls: Readonly<Record<string, readonly unknown[]>> = {
      [otherDTypes(name)]: CALLS[name](2, 'float64'),
      'arrays without elements': CALLS[name](0, 'float32'),
      ...DECLINED[name],
    };
    for (const [declined, values] of Object.entries(calls)) {
      const rule = described.declined.find((rule) => rule.calls === declined);
      const taker = rule?.backend ?? described.backend;
      expect([declined, await ranOn(backend, name, values)]).toEqual([declined, [taker]]);
    }
    // A rule that is added needs a call here.
    const unknown = described.declined.filter((rule) => !(rule.calls in calls));
    expect(unknown).toEqual([]);
  });
});

test('wasm declines what it says, and no other of these calls', async () => {
  await setBackend('wasm');
  const own = Object.entries(describeBackend().kernels).map(([name, { declined }]) => {
    const calls = declined
      .map((rule) => rule.calls)
      .filter((text) => text !== otherDTypes(name) && !/without/.test(text));
    return [name, calls] as const;
  });
  const expected = Object.entries(DECLINED).map(([name, calls]) => [name, Object.keys(calls)]);
  expect(Object.fromEntries(own.filter(([, calls]) => calls.length > 0))).toEqual(
    Object.fromEntries(expected),
  );
});
