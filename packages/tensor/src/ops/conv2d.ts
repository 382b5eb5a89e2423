import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Activation, Conv2dBranch } from '../backend/contract.ts';
import { convolution } from '../backend/kernels.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import type { Conv2dWindow, PaddingOption, Pair } from '../core/window.ts';
import { asTensor, dtypeOf, expectRank, expectSameFloating, type TensorLike } from './operands.ts';
import { resolveWindow } from './window-options.ts';

/** How the kernel of `conv2d` moves over the image. */
export interface Conv2dOptions {
  /** Pixels between windows, `number` or `[h, w]`; 1 by default. */
  readonly stride?: Pair;
  /** `number`, `[h, w]`, `[top, bottom, left, right]`, `'same'`, `'same-lower'` or `'valid'`; 0 by default. */
  readonly padding?: PaddingOption;
  /** Pixels between kernel elements, `number` or `[h, w]`; 1 by default. */
  readonly dilation?: Pair;
  /** Groups of channels that do not mix; must divide C and O; 1 by default. */
  readonly groups?: number;
}

interface Attributes {
  readonly windows: readonly Conv2dWindow[];
  readonly activation: Activation;
}

interface Saved {
  readonly x: NdArray;
  readonly branches: readonly Conv2dBranch[];
  /** The output, where the gradient of the activation is computed from it. */
  readonly y: NdArray | null;
}

/** Inputs: x, then weight and bias of each convolution. */
type Inputs = readonly (NdArray | null)[];

function branchesOf(inputs: Inputs, windows: readonly Conv2dWindow[]): Conv2dBranch[] {
  return windows.map((window, i) => ({
    weight: inputs[1 + 2 * i] as NdArray, // `conv2dBranches` puts a weight here and a bias behind it.
    bias: inputs[2 + 2 * i],
    window,
  }));
}

export const conv2dOp = defineOp<Inputs, Attributes, Saved>('conv2d', {
  forward(inputs, { windows, activation }) {
    const x = inputs[0] as NdArray; // As `conv2dBranches` puts it.
    const branches = branchesOf(inputs, windows);
    const y = convolution().conv2d(x, branches, activation);
    const kept = activation === 'relu' ? y : null;
    return { y, saved: { x, branches, y: kept } };
  },
  backward(gradOut, { x, branches, y }, needed) {
    const {
      x: gradX,
      weights,
      biases,
    } = convolution().conv2dGrad(x, y, gradOut, branches, {
      x: needed[0],
      branches: branches.map((_, i) => ({ weight: needed[1 + 2 * i], bias: needed[2 + 2 * i] })),
    });
    return [gradX, ...weights.flatMap((weight, i) => [weight, biases[i]])];
  },
});

function checkChannels(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
): void {
  const operands: Record<string, { shape: Shape; layout: string }> = {
    input: { shape: x.shape, layout: 'N, C, H, W' },
    weight: { shape: weight.shape, layout: 'O, I, kH, kW' },
  };
  const channels = x.shape[1];
  const [outChannels, groupChannels] = weight.shape;
  if (!Number.isInteger(groups) || groups < 1 || outChannels % groups !== 0) {
    throw new ValueError(
      `${op}: groups must be an integer ≥ 1 that divides the ${outChannels} output channels, ` +
        `got ${describeValue(groups)}`,
    );
  }
  if (channels !== groupChannels * groups) {
    const inGroups = groups === 1 ? '' : ` (${groupChannels} in each of ${groups} groups)`;
    throw shapeError(
      op,
      `input has ${channels} channels, weight expects ${groupChannels * groups}${inGroups}`,
      operands,
    );
  }
  if (bias !== null && (bias.rank !== 1 || bias.shape[0] !== outChannels)) {
    throw shapeError(op, `bias must have one element for each of ${outChannels} output channels`, {
      ...operands,
      bias: { shape: bias.shape, layout: 'O' },
    });
  }
}

/** One of the convolutions of `conv2dBranches`. */
export interface Conv2dBranchOptions extends Conv2dOptions {
  /** `[O, C/groups, kH, kW]` */
  readonly weight: TensorLike;
  /** `[O]` */
  readonly bias: TensorLike | null;
}

/** A branch whose operands are tensors. */
type TensorBranch = Conv2dOptions & { readonly weight: Tensor; readonly bias: Tensor | null };

const BRANCH_OPTIONS = ['weight', 'bias', 'stride', 'padding', 'dilation', 'groups'] as const;

function readBranch(op: string, x: Tensor, branch: Conv2dBranchOptions): TensorBranch {
  const { weight, bias, ...options } = readOptions(op, branch, BRANCH_OPTIONS);
  return {
    ...options,
    weight: asTensor(op, 'weight', weight, x.dtype),
    bias: bias === null ? null : asTensor(op, 'bias', bias, x.dtype),
  };
}

function checkedWindow(op: string, x: Tensor, branch: TensorBranch): Conv2dWindow {
  const { weight, bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = branch;
  expectRank(op, 'weight', weight, 'O, I, kH, kW');
  expectSameFloating(op, { input: x, weight, bias });
  checkChannels(op, x, weight, bias, groups);
  const kernelSize = [weight.shape[2], weight.shape[3]] as const;
  const options = { kernelSize, stride, padding, dilation, ceilMode: false };
  return { ...resolveWindow(op, x.shape, options), groups };
}

/** `conv2dBranches` for the operation that messages name. */
function convolved(
  op: string,
  x: TensorLike,
  branches: readonly Conv2dBranchOptions[],
  options: { readonly activation?: Activation },
): Tensor {
  const { activation = 'none' } = readOptions(op, options, ['activation']);
  expectThat(Array.isArray(branches), op, 'branches', 'an array', branches);
  if (branches.length === 0) throw new ValueError(`${op}: needs at least one branch, got none`);
  const isActivation = activation === 'none' || activation === 'relu';
  expectThat(isActivation, op, 'activation', "'none' or 'relu'", activation);
  const input = asTensor(op, 'x', x, dtypeOf(branches[0]?.weight));
  // Array.from also visits the holes of a sparse list, which are no branches.
  const convolutions = Array.from(branches, (branch) => readBranch(op, input, branch));
  expectRank(op, 'input', input, 'N, C, H, W');
  const windows = convolutions.map((branch) => checkedWindow(op, input, branch));
  windows.forEach(({ outHeight, outWidth }, i) => {
    const [first] = windows;
    if (outHeight !== first.outHeight || outWidth !== first.outWidth) {
      throw shapeError(op, 'outputs of all branches must have one height and width', {
        'branch 0': { shape: [first.outHeight, first.outWidth], layout: "H', W'" },
        [`branch ${i}`]: { shape: [outHeight, outWidth], layout: "H', W'" },
      });
    }
  });
  const operands = convolutions.flatMap(({ weight, bias }) => [weight, bias]);
  return conv2dOp([input, ...operands], { windows, activation });
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
  x: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null = null,
  options: Conv2dOptions & { readonly activation?: Activation } = {},
): Tensor {
  expectThat(
    typeof options === 'object' && options !== null,
    'conv2d',
    'options',
    'an object',
    options,
  );
  const { activation = 'none', ...window } = options;
  return convolved('conv2d', x, [{ ...window, weight, bias }], { activation });
}

/**
 * Several convolutions of one input, side by side: the same as `concat` of their outputs along the
 * channels, without the copy. Their outputs must have one height and width.
 *
 * @param x `[N, C, H, W]`
 * @param branches weight, bias and options of each; see `conv2d`
 * @param options `activation`: `'relu'` applies max(0, ·) at no cost of its own
 * @returns `[N, ΣO, H', W']`
 * @throws as `conv2d`; ShapeError if the outputs' sizes differ; ValueError without a branch
 */
export function conv2dBranches(
  x: TensorLike,
  branches: readonly Conv2dBranchOptions[],
  options: { readonly activation?: Activation } = {},
): Tensor {
  return convolved('conv2dBranches', x, branches, options);
}
