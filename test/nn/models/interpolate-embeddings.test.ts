import {
  type InterpolateEmbeddingsOptions,
  interpolateEmbeddings,
  type StateDict,
  VisionTransformer,
} from '@firelight/nn';
import { Generator, randn, ShapeError, tensor, ValueError, zeros } from '@firelight/tensor';
import { expect, test } from 'vitest';
import expected from '../../fixtures/position-embeddings/expected.json' with { type: 'json' };
import { relativeError } from '../../helpers/relative-error.ts';

const POSITIONS = 'encoder.pos_embedding';
const generator = new Generator(0);
const tiny = { patchSize: 4, numLayers: 1, numHeads: 1, hiddenDim: 2, mlpDim: 3, numClasses: 5 };

const positions = tensor(
  Array.from({ length: 20 }, (_, i) => Math.sin(0.37 * i * i)),
  { shape: [1, 10, 2] },
);

test.each(['cubic', 'linear'] as const)('resizes positions as torchvision: %s', (mode) => {
  const state = interpolateEmbeddings(
    { [POSITIONS]: positions },
    { imageSize: 16, patchSize: 4, mode },
  );
  expect(state[POSITIONS].shape).toEqual([1, 17, 2]);
  expect(relativeError(state[POSITIONS].data, expected[mode])).toBeLessThan(1e-6);
});

test('takes the weights of one size to a network for another, and back', () => {
  const small = new VisionTransformer({ ...tiny, imageSize: 12, generator });
  const large = new VisionTransformer({ ...tiny, imageSize: 20, generator });
  const state = small.stateDict();
  large.loadStateDict(interpolateEmbeddings(state, { imageSize: 20, patchSize: 4 }));
  const x = randn([1, 3, 20, 20], { generator });
  expect(large.forward(x).shape).toEqual([1, 5]);
  // Each second of five places along an axis is one of three.
  const nearly = interpolateEmbeddings(large.stateDict(), { imageSize: 12, patchSize: 4 });
  expect(relativeError(nearly[POSITIONS].data, state[POSITIONS].data)).toBeLessThan(1e-5);
  expect(interpolateEmbeddings(state, { imageSize: 12, patchSize: 4 })).toBe(state);
});

const sizes = { imageSize: 16, patchSize: 4 };

test.each<[options: object, type: typeof ValueError, message: RegExp, state?: StateDict]>([
  [
    { ...sizes, imageSize: 18 },
    ValueError,
    /imageSize must be a multiple of patchSize \(=4\), got 18/,
  ],
  [{ ...sizes, patchSize: 0 }, ValueError, /patchSize must be an integer ≥ 1, got 0/],
  [
    { ...sizes, mode: 'bicubic' },
    ValueError,
    /mode must be one of 'cubic', 'linear', 'nearest', got/,
  ],
  [{ ...sizes, patches: 4 }, ValueError, /there is no option 'patches'/],
  [
    sizes,
    ValueError,
    /the state has no 'encoder.pos_embedding'; pass that of a VisionTransformer/,
    {},
  ],
  [
    sizes,
    ShapeError,
    /must be \[1, 1 \+ rows · rows, hiddenDim\], got \[1, 4, 2\]/,
    { [POSITIONS]: zeros([1, 4, 2]) },
  ],
])('%j is refused', (options, type, message, state = { [POSITIONS]: positions }) => {
  const act = () => interpolateEmbeddings(state, options as InterpolateEmbeddingsOptions);
  expect(act).toThrow(type);
  expect(act).toThrow(/^interpolateEmbeddings: /);
  expect(act).toThrow(message);
});
