import type { NdArray } from '../../../../core/ndarray.ts';
import type { Shape } from '../../../../core/shape.ts';
import type { Activation, Conv2dBranch, Kernels } from '../../../kernels.ts';
import { type Frame, inFrame } from '../../frame.ts';
import { settings } from '../../settings.ts';
import { MODE } from '../gemm/micro-kernel.ts';
import { weightGradTiles, winogradWeightGrad } from '../winograd/weight-grad.ts';
import { chooseTile, winograd } from '../winograd/winograd.ts';
import { directForward, directInputGrad, directWeightGrad, type Filters } from './direct.ts';
import type { Images } from './pad.ts';

/** Some channels of all images of an array [N, C, H, W]. */
function imagesOf(address: number, shape: Shape, firstChannel = 0, channels = shape[1]): Images {
  const [count, allChannels, height, width] = shape;
  return {
    address: address + firstChannel * height * width * 4,
    count,
    channels,
    height,
    width,
    stride: allChannels * height * width * 4,
  };
}

function filtersOf(
  address: number,
  shape: Shape,
  { window }: Pick<Conv2dBranch, 'window'>,
): Filters {
  return { address, outChannels: shape[0], groupChannels: shape[1], window };
}

/** The branches with the first of their channels in the common output. */
function placed(
  branches: readonly Conv2dBranch[],
): { branch: Conv2dBranch; firstChannel: number; outChannels: number }[] {
  let next = 0;
  return branches.map((branch) => {
    const outChannels = branch.weight.shape[0];
    const firstChannel = next;
    next += outChannels;
    return { branch, firstChannel, outChannels };
  });
}

function forward(x: NdArray, branches: readonly Conv2dBranch[], activation: Activation): NdArray {
  return inFrame((frame) => {
    const places = placed(branches);
    const { outHeight, outWidth } = branches[0].window;
    const channels = places.reduce((sum, { outChannels }) => sum + outChannels, 0);
    const y = frame.output([x.shape[0], channels, outHeight, outWidth]);
    const input = imagesOf(frame.input(x), x.shape);
    for (const { branch, firstChannel, outChannels } of places) {
      const { weight, bias } = branch;
      const mode = (bias === null ? 0 : MODE.bias) | (activation === 'relu' ? MODE.relu : 0);
      const filters = filtersOf(frame.input(weight), weight.shape, branch);
      const output = imagesOf(y.address, y.array.shape, firstChannel, outChannels);
      const ending = { mode, bias: bias === null ? 0 : frame.input(bias) };
      convolve(frame, input, filters, output, ending);
    }
    return y.array;
  });
}

function convolve(
  frame: Frame,
  x: Images,
  filters: Filters,
  y: Images,
  ending: { mode: number; bias: number },
): void {
  const { window, outChannels: rows, groupChannels: k, address } = filters;
  const tile = settings.winograd ? chooseTile(window, { k, rows, output: y }) : null;
  if (tile === null) {
    directForward(frame, x, filters, y, ending);
    return;
  }
  const weights = { address, rows, k, rowStride: k * 36, kStride: 36, turned: false };
  const { top, left } = window.padding;
  winograd(frame, tile, x, weights, y, { ...ending, top, left });
}

/** The gradient by the input is a convolution too, with turned kernels and 2 − padding zeros. */
function convolveBack(
  frame: Frame,
  gradOut: Images,
  filters: Filters,
  gradIn: Images,
  { accumulate }: { accumulate: boolean },
): void {
  const { window, outChannels: k, groupChannels: rows, address } = filters;
  const top = 2 - window.padding.top;
  const left = 2 - window.padding.left;
  const fits = settings.winograd && top >= 0 && left >= 0;
  const tile = fits ? chooseTile(window, { k, rows, output: gradIn }) : null;
  if (tile === null) {
    directInputGrad(frame, gradOut, filters, gradIn, { accumulate });
    return;
  }
  const weights = { address, rows, k, rowStride: 36, kStride: rows * 36, turned: true };
  const mode = accumulate ? MODE.accumulate : 0;
  winograd(frame, tile, gradOut, weights, gradIn, { mode, bias: 0, top, left });
}

function weightGrad(frame: Frame, x: Images, gradOut: Images, filters: Filters): void {
  const { window, outChannels, groupChannels, address } = filters;
  const channels = { k: groupChannels, rows: outChannels };
  const tile = settings.winograd ? chooseTile(window, { ...channels, output: gradOut }) : null;
  const blockTiles = tile === null ? null : weightGradTiles(tile, groupChannels, outChannels);
  if (tile === null || blockTiles === null) {
    directWeightGrad(frame, x, gradOut, filters);
    return;
  }
  const { top, left } = window.padding;
  winogradWeightGrad(frame, tile, x, gradOut, { weight: address, blockTiles, top, left });
}

export const convolution: Pick<Kernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dWeightGrad'> = {
  conv2d: forward,

  conv2dInputGrad: (gradOut, branches, inputShape) =>
    inFrame((frame) => {
      const gradIn = frame.output(inputShape);
      const gradient = frame.input(gradOut);
      placed(branches).forEach(({ branch, firstChannel, outChannels }, i) => {
        const { weight } = branch;
        const filters = filtersOf(frame.input(weight), weight.shape, branch);
        const output = imagesOf(gradient, gradOut.shape, firstChannel, outChannels);
        const input = imagesOf(gradIn.address, inputShape);
        convolveBack(frame, output, filters, input, { accumulate: i > 0 });
      });
      return gradIn.array;
    }),

  conv2dWeightGrad: (x, gradOut, weightShape, window, firstChannel) =>
    inFrame((frame) => {
      const weight = frame.output(weightShape);
      const filters = filtersOf(weight.address, weightShape, { window });
      const input = imagesOf(frame.input(x), x.shape);
      const output = imagesOf(frame.input(gradOut), gradOut.shape, firstChannel, weightShape[0]);
      weightGrad(frame, input, output, filters);
      return weight.array;
    }),
};
