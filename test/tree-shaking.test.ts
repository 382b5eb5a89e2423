import { expect, test } from 'vitest';
import { type Bundled, bundled } from './helpers/bundled.ts';

/** Texts that a minifier keeps, of parts that SqueezeNet does without. */
const OTHER_TEXTS = [
  'einsum',
  'interpolate',
  'layerNorm',
  'maxUnpool2d',
  'scaledDotProductAttention',
  'MobileNetV2',
  'VisionTransformer',
  'Muon',
  'RandAugment',
  'FashionMnist',
  'WebGPUKernel',
  'another process fetches',
];

/** Beginnings of modules' paths, of such parts. */
const OTHER_MODULES = [
  'packages/data/src/cifar/cifar100',
  'packages/data/src/transforms/resample',
  'packages/data/src/transforms/resize',
  'packages/tensor/src/higher-order/',
  'packages/tensor/src/backend/wasm/kernels/elementwise/compare.ts',
  'packages/tensor/src/backend/wasm/kernels/elementwise/power.ts',
  'packages/tensor/src/backend/wasm/kernels/elementwise/where.ts',
  'packages/tensor/src/backend/wasm/kernels/gemm/matmul.ts',
  'packages/tensor/src/backend/wasm/kernels/movement/gather.ts',
  'packages/tensor/src/backend/wasm/kernels/pool2d/avg-pool2d.ts',
  'packages/tensor/src/backend/wasm/kernels/pool2d/max-unpool2d.ts',
  'packages/tensor/src/backend/wasm/kernels/reduce/arg-reduce.ts',
  'packages/tensor/src/backend/wasm/kernels/reduce/extremum-axis.ts',
  'packages/tensor/src/backend/wasm/kernels/resizing/',
  'packages/tensor/src/backend/wasm/kernels/row-norm/',
];

const texts = (files: Bundled['atStart']): string => files.map(({ code }) => code).join('\n');

/** What a bundle has of a folder of `packages`, by the files' names. */
function namesIn({ modules }: Bundled, folder: string): string[] {
  const start = `packages/${folder}/`;
  return modules
    .filter((path) => path.startsWith(start))
    .map((path) => path.slice(start.length, -'.ts'.length))
    .sort();
}

const hasModule = ({ modules }: Bundled, start: string): boolean =>
  modules.some((path) => path.startsWith(start));

test('other parts are in a bundle of all that there is', async () => {
  const everything = await bundled('test/fixtures/bundles/everything.ts');
  const all = texts([...everything.atStart, ...everything.later]);
  expect(OTHER_TEXTS.filter((text) => !all.includes(text))).toEqual([]);
  expect(OTHER_MODULES.filter((start) => !hasModule(everything, start))).toEqual([]);
});

test.each(['inference', 'training'])(
  'a program for the %s of SqueezeNet alone carries none of them',
  async (name) => {
    const program = await bundled(`test/fixtures/bundles/${name}.ts`);
    const atStart = texts(program.atStart);
    expect(OTHER_TEXTS.filter((text) => atStart.includes(text))).toEqual([]);
    expect(OTHER_MODULES.filter((start) => hasModule(program, start))).toEqual([]);
    expect(namesIn(program, 'nn/src/models')).toEqual([
      'fire-dimensions',
      'network-input',
      'squeezenet',
    ]);
    expect(namesIn(program, 'tensor/src/backend/gpu')).toEqual(['gpu-backend']);
  },
);
