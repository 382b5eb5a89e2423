import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { kernels } from '../backend/registry.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import type { Conv2dWindow, PaddingOption, Pair } from '../core/window.ts';
import { expectRank, expectSameFloating } from './operands.ts';
import { resolveWindow } from './window-options.ts';

export interface Conv2dOptions {
  /** Pixels between windows, `number` or `[h, w]`; 1 by default. */
  readonly stride?: Pair;
  /** `number`, `[h, w]`, `[top, bottom, left, right]`, `'same'` or `'valid'`; 0 by default. */
  readonly padding?: PaddingOption;
  /** Pixels between kernel elements, `number` or `[h, w]`; 1 by default. */
  readonly dilation?: Pair;
  /** Groups of channels that do not mix; must divide C and O; 1 by default. */
  readonly groups?: number;
}

interface Saved {
  readonly x: NdArray;
  readonly weight: NdArray;
  readonly window: Conv2dWindow;
}

const conv2dOp = defineOp<[NdArray, NdArray, NdArray | null], { window: Conv2dWindow }, Saved>(
  'conv2d',
  {
    forward: ([x, weight, bias], { window }) => ({
      y: kernels().conv2d(x, weight, bias, window),
      saved: { x, weight, window },
    }),
    backward: (gradOut, { x, weight, window }, [needsX, needsWeight, needsBias]) => [
      needsX ? kernels().conv2dInputGrad(gradOut, weight, x.shape, window) : null,
      needsWeight ? kernels().conv2dWeightGrad(x, gradOut, weight.shape, window) : null,
      needsBias ? kernels().reduce('sum', gradOut, [0, 2, 3]) : null,
    ],
  },
);

function checkChannels(x: Tensor, weight: Tensor, bias: Tensor | null, groups: number): void {
  const operands: Record<string, { shape: Shape; layout: string }> = {
    input: { shape: x.shape, layout: 'N, C, H, W' },
    weight: { shape: weight.shape, layout: 'O, I, kH, kW' },
  };
  const channels = x.shape[1];
  const [outChannels, groupChannels] = weight.shape;
  if (!Number.isInteger(groups) || groups < 1 || outChannels % groups !== 0) {
    throw new ValueError(
      `conv2d: groups must be an integer ≥ 1 that divides the ${outChannels} output channels, got ${groups}`,
    );
  }
  if (channels !== groupChannels * groups) {
    const inGroups = groups === 1 ? '' : ` (${groupChannels} in each of ${groups} groups)`;
    throw shapeError(
      'conv2d',
      `input has ${channels} channels, weight expects ${groupChannels * groups}${inGroups}`,
      operands,
    );
  }
  if (bias !== null && (bias.rank !== 1 || bias.shape[0] !== outChannels)) {
    throw shapeError(
      'conv2d',
      `bias must have one element for each of ${outChannels} output channels`,
      {
        ...operands,
        bias: { shape: bias.shape, layout: 'O' },
      },
    );
  }
}

/**
 * Convolution (cross-correlation, the kernel is not flipped):
 *
 * y[n, o, h, w] = bias[o] + Σ_{i, p, q} x[n, i, h·s − pad + p·d, w·s − pad + q·d] · weight[o, i, p, q]
 *
 * @param x `[N, C, H, W]`
 * @param weight `[O, C/groups, kH, kW]`
 * @param bias `[O]` or null
 * @returns `[N, O, H', W']` with H' = ⌊(H + top + bottom − d·(kH − 1) − 1) / s⌋ + 1
 * @throws ShapeError if channels do not match or the kernel does not fit into the padded input
 * @throws ValueError for options out of range; DTypeError unless all are float32 or all float64
 * @see mindspore/nn/layer/conv.py, torch.nn.functional.conv2d
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: Conv2dOptions = {},
): Tensor {
  expectRank('conv2d', 'input', x, 'N, C, H, W');
  expectRank('conv2d', 'weight', weight, 'O, I, kH, kW');
  expectSameFloating('conv2d', { input: x, weight, bias });
  checkChannels(x, weight, bias, groups);
  const kernelSize = [weight.shape[2], weight.shape[3]] as const;
  const options = { kernelSize, stride, padding, dilation, ceilMode: false };
  const window = { ...resolveWindow('conv2d', x.shape, options), groups };
  return conv2dOp([x, weight, bias], { window });
}
