import {
  concat,
  interpolate,
  permute,
  reshape,
  ShapeError,
  slice,
  ValueError,
} from '@firelight/tensor';
import { expectInteger, expectThat, formatShape, readOptions } from '@firelight/tensor/extend';
import type { StateDict } from '../module/module.ts';
import { expectOneOf } from './network-input.ts';

/** For which `VisionTransformer` `interpolateEmbeddings` makes a state. */
export interface InterpolateEmbeddingsOptions {
  /** Height and width of its images; a multiple of `patchSize`. */
  readonly imageSize: number;
  readonly patchSize: number;
  /** `'cubic'` by default, or `'linear'` or `'nearest'`. */
  readonly mode?: 'cubic' | 'linear' | 'nearest';
}

const OP = 'interpolateEmbeddings';
const NAME = 'encoder.pos_embedding';

/**
 * The state of a `VisionTransformer` for images of another size: the grid of learnt positions is resized,
 * corner on corner, and all else stays, with the class token's position.
 *
 * @param state with `encoder.pos_embedding` `[1, 1 + rows · rows, hiddenDim]`
 * @returns the same tensors, but for `encoder.pos_embedding` `[1, 1 + (imageSize / patchSize)², hiddenDim]`
 * @throws ValueError for a wrong option, or a state without positions; ShapeError if they are no square
 * @see torchvision.models.vision_transformer.interpolate_embeddings
 */
export function interpolateEmbeddings(
  state: StateDict,
  options: InterpolateEmbeddingsOptions,
): StateDict {
  const known = ['imageSize', 'patchSize', 'mode'] as const;
  const { imageSize, patchSize, mode = 'cubic' } = readOptions(OP, options, known);
  expectInteger(OP, 'imageSize', imageSize, 1);
  expectInteger(OP, 'patchSize', patchSize, 1);
  const rule = `a multiple of patchSize (=${patchSize})`;
  expectThat(imageSize % patchSize === 0, OP, 'imageSize', rule, imageSize);
  expectOneOf(OP, 'mode', mode, ['cubic', 'linear', 'nearest']);
  if (!Object.hasOwn(state, NAME)) {
    throw new ValueError(`${OP}: the state has no '${NAME}'; pass that of a VisionTransformer`);
  }
  const positions = state[NAME];
  const rows = Math.sqrt(positions.shape[1] - 1);
  if (positions.rank !== 3 || positions.shape[0] !== 1 || !Number.isInteger(rows) || rows < 1) {
    throw new ShapeError(
      `${OP}: '${NAME}' must be [1, 1 + rows · rows, hiddenDim], got ${formatShape(positions.shape)}`,
    );
  }
  const size = imageSize / patchSize;
  if (size === rows) return state;
  const D = positions.shape[2];
  const ofClass = slice(positions, [null, [0, 1]]);
  const grid = reshape(slice(positions, [null, [1, null]]), [1, rows, rows, D]);
  const resized = interpolate(permute(grid, [0, 3, 1, 2]), {
    size,
    mode,
    ...(mode === 'nearest' ? {} : { coordinates: 'align-corners' }),
  });
  const tokens = reshape(permute(resized, [0, 2, 3, 1]), [1, size * size, D]);
  return { ...state, [NAME]: concat([ofClass, tokens], 1) };
}
