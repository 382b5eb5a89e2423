import { beforeAll, describe, expect, test } from 'vitest';
import { type Bundled, bundled } from './helpers/bundled.ts';

/** Names in messages that a minifier keeps, of parts that SqueezeNet does without. */
const OTHERS = [
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

let everything: Bundled;
beforeAll(async () => {
  everything = await bundled('test/fixtures/bundles/everything.ts');
});

test('the names are in a bundle of all that there is', () => {
  const { atStart, later } = everything;
  const all = texts([...atStart, ...later]);
  expect(OTHERS.filter((name) => !all.includes(name))).toEqual([]);
});

describe.each(['inference', 'training'])('a program for the %s of SqueezeNet alone', (name) => {
  let program: Bundled;
  beforeAll(async () => {
    program = await bundled(`test/fixtures/bundles/${name}.ts`);
  });

  test('carries no other network, optimizer, data set or backend, and no downloads', () => {
    const code = texts(program.atStart);
    expect(OTHERS.filter((other) => code.includes(other))).toEqual([]);
    expect(namesIn(program, 'nn/src/models')).toEqual([
      'fire-dimensions',
      'network-input',
      'squeezenet',
    ]);
    expect(namesIn(program, 'tensor/src/backend/gpu')).toEqual(['gpu-backend']);
    expect(namesIn(program, 'data/src/archive')).not.toContain('fetch-archive');
  });

  test('carries no kernel that belongs to another operation', () => {
    const kernels = 'tensor/src/backend/wasm/kernels';
    for (const folder of ['resizing', 'row-norm']) {
      expect(namesIn(everything, `${kernels}/${folder}`)).not.toEqual([]);
      expect(namesIn(program, `${kernels}/${folder}`)).toEqual([]);
    }
    expect(namesIn(program, `${kernels}/pool2d`)).not.toContain('max-unpool2d');
    expect(namesIn(program, 'tensor/src/higher-order')).toEqual([]);
  });
});
