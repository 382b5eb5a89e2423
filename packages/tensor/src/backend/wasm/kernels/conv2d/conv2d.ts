import type { NdArray } from '../../../../core/ndarray.ts';
import type { Shape } from '../../../../core/shape.ts';
import type { Conv2dBranch, Conv2dGrads, Kernels } from '../../../contract.ts';
import { MODE } from '../../micro-kernel/micro-kernel.ts';
import { type Address, addressAfter, NOWHERE } from '../../runtime/address.ts';
import { type Frame, inFrame } from '../../runtime/frame.ts';
import type { Images } from '../images/images.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import { convolve, type Filters, gradientsOf } from './algorithms.ts';

/** Some channels of all images of an array [N, C, H, W]. */
function imagesOf(address: Address, shape: Shape, firstChannel = 0, channels = shape[1]): Images {
  const [count, allChannels, height, width] = shape;
  return {
    address: addressAfter(address, firstChannel * height * width * 4),
    count,
    channels,
    height,
    width,
    stride: allChannels * height * width * 4,
  };
}

function filtersOf(frame: Frame, { weight, window }: Conv2dBranch): Filters {
  const [outChannels, groupChannels] = weight.shape;
  return { array: weight, address: frame.input(weight), outChannels, groupChannels, window };
}

/** A branch with the first of its channels in the common output. */
interface Place {
  readonly branch: Conv2dBranch;
  readonly firstChannel: number;
  readonly outChannels: number;
}

function placed(branches: readonly Conv2dBranch[]): Place[] {
  let next = 0;
  return branches.map((branch) => {
    const outChannels = branch.weight.shape[0];
    const firstChannel = next;
    next += outChannels;
    return { branch, firstChannel, outChannels };
  });
}

export const convolution: Pick<Kernels, 'conv2d' | 'conv2dGrad'> = {
  conv2d: (x, branches, activation) =>
    inFrame((frame) => {
      const places = placed(branches);
      const { outHeight, outWidth } = branches[0].window;
      const channels = places.reduce((sum, { outChannels }) => sum + outChannels, 0);
      const y = frame.output([x.shape[0], channels, outHeight, outWidth]);
      const input = imagesOf(frame.input(x), x.shape);
      for (const { branch, firstChannel, outChannels } of places) {
        const { bias } = branch;
        const mode = (bias === null ? 0 : MODE.bias) | (activation === 'relu' ? MODE.relu : 0);
        const output = imagesOf(y.address, y.array.shape, firstChannel, outChannels);
        const ending = { mode, bias: bias === null ? NOWHERE : frame.input(bias) };
        convolve(frame, input, filtersOf(frame, branch), output, ending);
      }
      return y.array;
    }),

  conv2dGrad: (x, y, gradOut, branches, needed) =>
    inFrame((frame): Conv2dGrads => {
      const input = imagesOf(frame.input(x), x.shape);
      const gradX = needed.x ? frame.output(x.shape) : null;
      const gradient = frame.input(gradOut);
      const output = y === null ? null : frame.input(y);
      const weights: (NdArray | null)[] = [];
      const biases: (NdArray | null)[] = [];
      placed(branches).forEach(({ branch, firstChannel, outChannels }, i) => {
        const needs = needed.branches[i];
        const gradWeight = needs.weight ? frame.output(branch.weight.shape) : null;
        const gradBias = needs.bias ? frame.output([outChannels]) : null;
        const { sums } = gradientsOf(frame, {
          x: input,
          gradOut: imagesOf(gradient, gradOut.shape, firstChannel, outChannels),
          y: output === null ? null : addressAfter(output, firstChannel * planeBytes(gradOut)),
          filters: filtersOf(frame, branch),
          gradX: gradX === null ? null : imagesOf(gradX.address, x.shape),
          addToGradX: i > 0,
          gradWeight: gradWeight?.address ?? null,
          needsSums: gradBias !== null,
        });
        if (gradBias !== null && sums !== null) {
          const axis = { outer: 1, length: x.shape[0], inner: outChannels };
          const target = { address: gradBias.address, divisor: 1 };
          sumAxis(frame, { address: sums, areSums: true }, axis, target);
        }
        weights.push(gradWeight?.array ?? null);
        biases.push(gradBias?.array ?? null);
      });
      return { x: gradX?.array ?? null, weights, biases };
    }),
};

function planeBytes({ shape: [, , height, width] }: NdArray): number {
  return height * width * 4;
}
