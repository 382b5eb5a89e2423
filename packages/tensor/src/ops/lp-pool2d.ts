import type { Tensor } from '../autograd/tensor.ts';
import { expectThat, readOptions } from '../core/checks.ts';
import { mul } from './arithmetic.ts';
import { asTensor, type TensorLike } from './operands.ts';
import { meanOfWindows, type Pool2dOptions } from './pool2d.ts';
import { rootOfPowers } from './statistics.ts';
import { resolvePair } from './window-options.ts';

/** How the window of `lpPool2d` moves, and which length it takes. */
export interface LpPool2dOptions extends Pool2dOptions {
  /** The order of the length, above 0; 2 by default. */
  readonly ord?: number;
}

/**
 * The length of each window, (Σ |x|^ord)^(1 / ord); padding counts as zeros. The gradient of a length of 0
 * is 0.
 *
 * @param x `[N, C, H, W]`
 * @returns `[N, C, H', W']`, sized as by `maxPool2d`
 * @throws ShapeError if the window does not fit, or images have no pixels; ValueError for options out
 *   of range
 * @see onnx LpPool; torch.nn.LPPool2d, which takes x for |x|
 */
export function lpPool2d(x: TensorLike, options: LpPool2dOptions): Tensor {
  const op = 'lpPool2d';
  const { ord = 2, ...window } = readOptions(op, options, [
    'kernelSize',
    'stride',
    'padding',
    'dilation',
    'ceilMode',
    'ord',
  ]);
  expectThat(Number.isFinite(ord) && ord > 0, op, 'ord', 'a finite number above 0', ord);
  const input = asTensor(op, 'x', x);
  return rootOfPowers(input, ord, (powers) => {
    const means = meanOfWindows(op, powers, window);
    const [kernelHeight, kernelWidth] = resolvePair(op, 'kernelSize', window.kernelSize);
    return mul(means, kernelHeight * kernelWidth);
  });
}
