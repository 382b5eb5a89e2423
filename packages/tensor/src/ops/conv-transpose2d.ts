import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { convolution } from '../backend/kernels.ts';
import { expectInteger, expectShape, expectThat, readOptions } from '../core/checks.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import { type Conv2dWindow, type Pair, spanOf } from '../core/window.ts';
import { add } from './arithmetic.ts';
import { asTensor, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { reshape } from './reshape.ts';
import { resolvePair, resolveWindow } from './window-options.ts';

/** How the kernel of `convTranspose2d` moves over the output. */
export interface ConvTranspose2dOptions {
  /** Pixels of the output between windows, `number` or `[h, w]`; 1 by default. */
  readonly stride?: Pair;
  /** Pixels cut from each side of the output, `number` or `[h, w]`; 0 by default. */
  readonly padding?: Pair;
  /** Pixels added to the output's bottom and right, smaller than stride or dilation; 0 by default. */
  readonly outputPadding?: Pair;
  /** Pixels between kernel elements, `number` or `[h, w]`; 1 by default. */
  readonly dilation?: Pair;
  /** Groups of channels that do not mix; must divide C; 1 by default. */
  readonly groups?: number;
}

interface Attributes {
  /** How the convolution whose input gradient this is moves over the output. */
  readonly window: Conv2dWindow;
  readonly outputShape: Shape;
}

interface Saved {
  readonly x: NdArray;
  readonly weight: NdArray;
  readonly window: Conv2dWindow;
}

const convTranspose2dOp = defineOp<readonly [NdArray, NdArray], Attributes, Saved>(
  'convTranspose2d',
  {
    forward([x, weight], { window, outputShape }) {
      // Of the convolution's input only the shape matters to its gradient.
      const image = NdArray.zeros(outputShape, x.dtype);
      const branch = { weight, bias: null, window };
      const needed = { x: true, branches: [{ weight: false, bias: false }] };
      const { x: y } = convolution().conv2dGrad(image, null, x, [branch], needed);
      return { y: y as NdArray, saved: { x, weight, window } }; // Asked for by `needed`.
    },
    backward(gradOut, { x, weight, window }, needed) {
      const branch = { weight, bias: null, window };
      const gradX = needed[0] ? convolution().conv2d(gradOut, [branch], 'none') : null;
      if (!needed[1]) return [gradX, null];
      const { weights } = convolution().conv2dGrad(gradOut, null, x, [branch], {
        x: false,
        branches: [{ weight: true, bias: false }],
      });
      return [gradX, weights[0]];
    },
  },
);

function checkChannels(x: Tensor, weight: Tensor, bias: Tensor | null, groups: number): void {
  const operands = {
    input: { shape: x.shape, layout: 'N, C, H, W' },
    weight: { shape: weight.shape, layout: 'C, O/groups, kH, kW' },
  };
  const channels = x.shape[1];
  expectInteger('convTranspose2d', 'groups', groups, 1);
  if (channels !== weight.shape[0]) {
    const rule = `input has ${channels} channels, weight expects ${weight.shape[0]}`;
    throw shapeError('convTranspose2d', rule, operands);
  }
  if (channels % groups !== 0) {
    throw new ValueError(
      `convTranspose2d: groups must divide the ${channels} input channels, got ${groups}`,
    );
  }
  const outChannels = weight.shape[1] * groups;
  if (bias !== null && (bias.rank !== 1 || bias.shape[0] !== outChannels)) {
    throw shapeError(
      'convTranspose2d',
      `bias must have one element for each of ${outChannels} output channels`,
      { ...operands, bias: { shape: bias.shape, layout: 'O' } },
    );
  }
}

/**
 * How the windows of `convTranspose2d` lie, for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every image
 */
export function expectTransposedWindow(
  op: string,
  { stride = 1, padding = 0, outputPadding = 0, dilation = 1 }: ConvTranspose2dOptions,
) {
  const steps = resolvePair(op, 'stride', stride);
  const cuts = resolvePair(op, 'padding', padding, 0);
  const extras = resolvePair(op, 'outputPadding', outputPadding, 0);
  const gaps = resolvePair(op, 'dilation', dilation);
  extras.forEach((extra, i) => {
    const most = Math.max(steps[i], gaps[i]);
    const rule = `smaller than stride or dilation (${most})`;
    expectThat(extra < most, op, 'outputPadding', rule, outputPadding);
  });
  return { steps, cuts, extras, gaps };
}

/** Height and width of the output. */
function outputSize(
  [, , H, W]: Shape,
  [, , kernelHeight, kernelWidth]: Shape,
  options: ConvTranspose2dOptions,
): readonly [number, number] {
  const { steps, cuts, extras, gaps } = expectTransposedWindow('convTranspose2d', options);
  const lengthOf = (size: number, kernel: number, i: number): number =>
    (size - 1) * steps[i] - 2 * cuts[i] + spanOf(kernel, gaps[i]) + extras[i];
  return [lengthOf(H, kernelHeight, 0), lengthOf(W, kernelWidth, 1)];
}

/**
 * Transposed convolution: each input pixel adds the kernel, times its value, to the output. It is
 * the gradient of `conv2d` by its input:
 *
 * y[n, o, h·s − pad + p·d, w·s − pad + q·d] += x[n, c, h, w] · weight[c, o, p, q], from bias[o]
 *
 * @param x `[N, C, H, W]`
 * @param weight `[C, O/groups, kH, kW]`
 * @param bias `[O]` or null
 * @returns `[N, O, H', W']` with H' = (H − 1)·s − 2·pad + d·(kH − 1) + 1 + outputPadding
 * @throws ShapeError if channels do not match or the output would have no pixels
 * @throws ValueError for options out of range; DTypeError unless all are float32 or all float64
 * @see torch.nn.functional.conv_transpose2d
 */
export function convTranspose2d(
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  const op = 'convTranspose2d';
  const input = asTensor(op, 'x', x);
  const kernel = asTensor(op, 'weight', weight, input.dtype);
  const shift = bias === null ? null : asTensor(op, 'bias', bias, input.dtype);
  const known = ['stride', 'padding', 'outputPadding', 'dilation', 'groups'] as const;
  const { groups = 1, ...rest } = readOptions(op, options, known);
  expectRank(op, 'input', input, 'N, C, H, W');
  expectRank(op, 'weight', kernel, 'C, O/groups, kH, kW');
  expectSameFloating(op, { input, weight: kernel, bias: shift });
  checkChannels(input, kernel, shift, groups);
  const [height, width] = outputSize(input.shape, kernel.shape, rest);
  const [N, , H, W] = input.shape;
  if (height < 1 || width < 1 || H < 1 || W < 1) {
    throw shapeError(op, `the output would have ${height} × ${width} pixels`, {
      input: { shape: input.shape, layout: 'N, C, H, W' },
      weight: { shape: kernel.shape, layout: 'C, O/groups, kH, kW' },
    });
  }
  const outputShape = [N, kernel.shape[1] * groups, height, width];
  expectShape(op, outputShape);
  const { stride = 1, padding = 0, dilation = 1 } = rest;
  const kernelSize = [kernel.shape[2], kernel.shape[3]] as const;
  const window = {
    ...resolveWindow(op, outputShape, { kernelSize, stride, padding, dilation, ceilMode: false }),
    // With outputPadding from a large dilation another window may fit; it has no gradient.
    outHeight: H,
    outWidth: W,
    groups,
  };
  const y = convTranspose2dOp([input, kernel], { window, outputShape });
  return shift === null ? y : add(y, reshape(shift, [1, -1, 1, 1]));
}
