import type { Tensor } from '../autograd/tensor.ts';
import { expectInteger, expectShape, expectThat, readOptions } from '../core/checks.ts';
import { shapeError } from '../core/errors.ts';
import { spanOf } from '../core/window.ts';
import { convTranspose2d } from './conv-transpose2d.ts';
import { asTensor, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { along, asImages, asSequences, floatSequences } from './sequences.ts';

/** How the kernel of `convTranspose1d` moves over the output. */
export interface ConvTranspose1dOptions {
  /** Elements of the output between windows; 1 by default. */
  readonly stride?: number;
  /** Elements cut from each end of the output; 0 by default. */
  readonly padding?: number;
  /** Elements added to the output's end, fewer than stride or dilation; 0 by default. */
  readonly outputPadding?: number;
  /** Elements between kernel elements; 1 by default. */
  readonly dilation?: number;
  /** Groups of channels that do not mix; must divide C; 1 by default. */
  readonly groups?: number;
}

/**
 * Checks how the windows of `convTranspose1d` lie, for the operation or layer that messages name.
 *
 * @throws ValueError for options that are wrong for every sequence
 */
export function expectTransposedSteps1d(
  op: string,
  { stride = 1, padding = 0, outputPadding = 0, dilation = 1 }: ConvTranspose1dOptions,
): void {
  along(op, 'stride', stride);
  along(op, 'dilation', dilation);
  expectInteger(op, 'padding', padding, 0);
  expectInteger(op, 'outputPadding', outputPadding, 0);
  const most = Math.max(stride, dilation);
  const rule = `smaller than stride or dilation (${most})`;
  expectThat(outputPadding < most, op, 'outputPadding', rule, outputPadding);
}

/**
 * Transposed convolution of sequences: each element of the input adds the kernel, times its value, to
 * the output. It is the gradient of `conv1d` by its input:
 *
 * y[n, o, l·s − pad + p·d] += x[n, c, l] · weight[c, o, p], from bias[o]
 *
 * @param x `[N, C, L]`
 * @param weight `[C, O/groups, k]`
 * @param bias `[O]` or null
 * @returns `[N, O, L']` with L' = (L − 1)·s − 2·pad + d·(k − 1) + 1 + outputPadding
 * @throws ShapeError if channels do not match or the output would have no elements
 * @throws ValueError for options out of range; DTypeError unless all are float32 or all float64
 * @see torch.nn.functional.conv_transpose1d
 */
export function convTranspose1d(
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null = null,
  options: ConvTranspose1dOptions = {},
): Tensor {
  const op = 'convTranspose1d';
  const input = floatSequences(op, x);
  const kernel = asTensor(op, 'weight', weight, input.dtype);
  const shift = bias === null ? null : asTensor(op, 'bias', bias, input.dtype);
  const known = ['stride', 'padding', 'outputPadding', 'dilation', 'groups'] as const;
  const given = readOptions(op, options, known);
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = given;
  expectRank(op, 'weight', kernel, 'C, O/groups, k');
  expectSameFloating(op, { input, weight: kernel, bias: shift });
  expectTransposedSteps1d(op, given);
  expectInteger(op, 'groups', groups, 1);
  const moves = {
    stride: along(op, 'stride', stride),
    padding: [0, padding],
    outputPadding: [0, outputPadding],
    dilation: along(op, 'dilation', dilation),
    groups,
  } as const;

  const [N, C, L] = input.shape;
  const [weightChannels, perGroup, k] = kernel.shape;
  const O = perGroup * groups;
  const operands = {
    input: { shape: input.shape, layout: 'N, C, L' },
    weight: { shape: kernel.shape, layout: 'C, O/groups, k' },
  };
  if (C !== weightChannels || C % groups !== 0) {
    const mismatch = `input has ${C} channels, weight expects ${weightChannels}`;
    throw shapeError(op, `${mismatch} in groups (=${groups}) that divide them`, operands);
  }
  if (shift !== null && (shift.rank !== 1 || shift.shape[0] !== O)) {
    const shapes = { ...operands, bias: { shape: shift.shape, layout: 'O' } };
    throw shapeError(op, `bias must have one element for each of ${O} output channels`, shapes);
  }
  const length = (L - 1) * stride - 2 * padding + spanOf(k, dilation) + outputPadding;
  if (length < 1 || L < 1) {
    throw shapeError(op, `the output would have ${length} elements`, operands);
  }
  expectShape(op, [N, O, length]);
  return asSequences(convTranspose2d(asImages(input), asImages(kernel), shift, moves));
}
