import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, expectThat, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { asAnyTensor, expectRank, type TensorLike } from './operands.ts';
import { permute } from './permute.ts';
import { reshape } from './reshape.ts';

/**
 * Moves channels into squares of pixels: `[N, C · b², H, W]` → `[N, C, H · b, W · b]`.
 *
 * @param options `mode`: `'CRD'` (default): a pixel's channels lie b² apart by channel, as PyTorch's
 *   `pixel_shuffle`; `'DCR'`: by pixel, as TensorFlow and ONNX by default
 * @throws ShapeError unless b² divides the channels; ValueError unless b is an integer ≥ 1
 * @see Shi et al., arXiv:1609.05158; torch.nn.functional.pixel_shuffle
 */
export function depthToSpace(
  x: TensorLike,
  blockSize: number,
  options: { mode?: 'CRD' | 'DCR' } = {},
): Tensor {
  const { mode = 'CRD' } = readOptions('depthToSpace', options, ['mode']);
  expectThat(mode === 'CRD' || mode === 'DCR', 'depthToSpace', 'mode', "'CRD' or 'DCR'", mode);
  const input = asAnyTensor('depthToSpace', 'x', x);
  expectRank('depthToSpace', 'input', input, 'N, C, H, W');
  expectInteger('depthToSpace', 'blockSize', blockSize, 1);
  const [N, channels, H, W] = input.shape;
  const b = blockSize;
  const C = channels / b ** 2;
  if (!Number.isInteger(C)) {
    throw shapeError('depthToSpace', `${b} × ${b} does not divide ${channels} channels`, { input });
  }
  const apart = mode === 'CRD' ? [N, C, b, b, H, W] : [N, b, b, C, H, W];
  const order = mode === 'CRD' ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return reshape(permute(reshape(input, apart), order), [N, C, H * b, W * b]);
}

/**
 * Moves squares of pixels into channels: `[N, C, H · b, W · b]` → `[N, C · b², H, W]`, the inverse of
 * `depthToSpace`.
 *
 * @param options `mode`: as of `depthToSpace`
 * @throws ShapeError unless b divides height and width; ValueError unless b is an integer ≥ 1
 * @see torch.nn.functional.pixel_unshuffle
 */
export function spaceToDepth(
  x: TensorLike,
  blockSize: number,
  options: { mode?: 'CRD' | 'DCR' } = {},
): Tensor {
  const { mode = 'CRD' } = readOptions('spaceToDepth', options, ['mode']);
  expectThat(mode === 'CRD' || mode === 'DCR', 'spaceToDepth', 'mode', "'CRD' or 'DCR'", mode);
  const input = asAnyTensor('spaceToDepth', 'x', x);
  expectRank('spaceToDepth', 'input', input, 'N, C, H, W');
  expectInteger('spaceToDepth', 'blockSize', blockSize, 1);
  const [N, C, height, width] = input.shape;
  const b = blockSize;
  const [H, W] = [height / b, width / b];
  if (!Number.isInteger(H) || !Number.isInteger(W)) {
    const rule = `a block size of ${b} does not divide the image of ${height} × ${width}`;
    throw shapeError('spaceToDepth', rule, { input });
  }
  const order = mode === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
  return reshape(permute(reshape(input, [N, C, H, b, W, b]), order), [N, C * b * b, H, W]);
}
