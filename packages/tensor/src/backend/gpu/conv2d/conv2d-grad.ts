import type { TypedArray } from '../../../core/dtype.ts';
import { NdArray } from '../../../core/ndarray.ts';
import type { Shape } from '../../../core/shape.ts';
import type { Conv2dGrads, Conv2dNeeds } from '../../contract.ts';
import type { DeviceArray } from '../device/device.ts';
import { type GpuSettings, inPass, type Pass, someOf } from '../device/pass.ts';
import { type ChannelLayout, layoutKey, quadCount } from '../layout/channel-layout.ts';
import { type Form, imageForm, type Shape4, weightForm } from '../layout/form.ts';
import { addProgram, reluGradProgram, sumProgram } from '../programs/elementwise.ts';
import { inputGradProgram } from '../programs/input-grad.ts';
import {
  partialCount,
  pixelSumProgram,
  weightGradProgram,
  weightTexels,
} from '../programs/weight-grad.ts';
import { geometryOf, imageRanges, type Plan, type PlannedBranch } from './plan.ts';

/** The arrays that gradients are computed from. */
export interface GradInputs {
  readonly x: NdArray;
  /** The output if ReLU was applied to it, else null. */
  readonly y: NdArray | null;
  readonly gradOut: NdArray;
}

/** Puts images of an array onto the device. */
type Uploader = (array: NdArray, layout: ChannelLayout) => DeviceArray;

interface DeviceGrads {
  /** By the input, one for each layout among the branches. */
  readonly x: readonly { readonly array: DeviceArray; readonly layout: ChannelLayout }[];
  readonly weights: readonly (DeviceArray | null)[];
  readonly biases: readonly (DeviceArray | null)[];
}

function gradOnDevice(
  pass: Pass,
  plan: Plan,
  images: number,
  { x, y, gradOut }: GradInputs,
  upload: Uploader,
  needed: Conv2dNeeds,
): DeviceGrads {
  const { dialect } = pass.device;
  const [, , height, width] = plan.outShape;
  const quads = quadCount(plan.outLayout);
  const whole = upload(gradOut, plan.outLayout);
  const grad =
    y === null
      ? whole
      : pass.run(reluGradProgram(dialect, [width, height, images * quads]), [
          upload(y, plan.outLayout),
          whole,
        ]);
  const weights = plan.branches.map((planned, i) => {
    if (!needed.branches[i].weight) return null;
    const geometry = geometryOf(plan, planned, images);
    const partials = partialCount(geometry, pass.device);
    const program = weightGradProgram(dialect, geometry, partials);
    const sums = pass.run(program, [upload(x, planned.inLayout), grad]);
    if (partials === 1) return sums;
    return pass.run(sumProgram(dialect, weightTexels(geometry), partials), [sums]);
  });
  const biases = plan.branches.map((planned, i) => {
    if (!needed.branches[i].bias) return null;
    const sums = pixelSumProgram(dialect, geometryOf(plan, planned, images));
    const size = [planned.quads, 1, 1] as const;
    return pass.run(sumProgram(dialect, size, images), [pass.run(sums, [grad])]);
  });
  return { x: needed.x ? inputGrads(pass, plan, images, grad) : [], weights, biases };
}

/** Gradients by the input, added up over the branches that have it in the same layout. */
function inputGrads(pass: Pass, plan: Plan, images: number, grad: DeviceArray): DeviceGrads['x'] {
  const { dialect } = pass.device;
  const [, , height, width] = plan.inShape;
  const sums = new Map<string, { array: DeviceArray; layout: ChannelLayout }>();
  for (const planned of plan.branches) {
    const { branch, inLayout: layout, outLayout } = planned;
    const program = inputGradProgram(dialect, geometryOf(plan, planned, images));
    const part = pass.run(program, [grad, pass.weights(branch.weight, outLayout)]);
    const key = layoutKey(layout);
    const sum = sums.get(key);
    const size = [width, height, images * quadCount(layout)] as const;
    const array = sum === undefined ? part : pass.run(addProgram(dialect, size), [sum.array, part]);
    sums.set(key, { array, layout });
  }
  return [...sums.values()];
}

/** The gradients of all branches; see `Kernels.conv2dGrad`. */
export function conv2dBackward(
  settings: GpuSettings,
  plan: Plan,
  inputs: GradInputs,
  needed: Conv2dNeeds,
): Conv2dGrads {
  const [images] = plan.inShape;
  const layouts = new Set(plan.branches.map(({ inLayout }) => layoutKey(inLayout)));
  return images <= plan.imagesAtOnce && layouts.size === 1
    ? atOnce(settings, plan, inputs, needed)
    : inParts(settings, plan, inputs, needed);
}

/** All images at once; the gradients stay on the device. */
function atOnce(
  settings: GpuSettings,
  plan: Plan,
  inputs: GradInputs,
  needed: Conv2dNeeds,
): Conv2dGrads {
  const { inShape, branches } = plan;
  return inPass(settings, (pass) => {
    const upload: Uploader = (array, layout) => pass.images(array, layout);
    const grads = gradOnDevice(pass, plan, inShape[0], inputs, upload, needed);
    const [x] = grads.x;
    return {
      x: x === undefined ? null : pass.result(x.array, inShape, imageForm(inShape, x.layout)),
      weights: grads.weights.map((array, i) => {
        const { weightShape, outLayout } = branches[i];
        return array && pass.result(array, weightShape, weightForm(weightShape, outLayout));
      }),
      biases: grads.biases.map((array, i) => {
        const { outChannels } = branches[i];
        return array && pass.result(array, [outChannels], biasForm(branches[i]));
      }),
    };
  });
}

/** Some images at a time, because all do not fit; the gradients are put together on the host. */
function inParts(
  settings: GpuSettings,
  plan: Plan,
  inputs: GradInputs,
  needed: Conv2dNeeds,
): Conv2dGrads {
  const { inShape, branches, imagesAtOnce } = plan;
  const zerosIf = (isNeeded: boolean, shape: Shape): NdArray | null =>
    isNeeded ? NdArray.zeros(shape, 'float32') : null;
  const x = zerosIf(needed.x, inShape);
  const weights = branches.map((b, i) => zerosIf(needed.branches[i].weight, b.weightShape));
  const biases = branches.map((b, i) => zerosIf(needed.branches[i].bias, [b.outChannels]));
  for (const range of imageRanges(inShape[0], imagesAtOnce)) {
    inPass(settings, (pass) => {
      const count = range.end - range.start;
      const upload: Uploader = (array, layout) => pass.someImages(array, layout, range);
      const grads = gradOnDevice(pass, plan, count, inputs, upload, needed);
      const shape: Shape4 = [count, inShape[1], inShape[2], inShape[3]];
      for (const { array, layout } of grads.x) {
        const part = imageForm(shape, layout).unpack(pass.device.read(array));
        if (x !== null) add(someOf(x, range), part);
      }
      grads.weights.forEach((array, i) => {
        const { weightShape, outLayout } = branches[i];
        const form = weightForm(weightShape, outLayout);
        if (array !== null) add(weights[i]?.data, form.unpack(pass.device.read(array)));
      });
      grads.biases.forEach((array, i) => {
        const form = biasForm(branches[i]);
        if (array !== null) add(biases[i]?.data, form.unpack(pass.device.read(array)));
      });
    });
  }
  return { x, weights, biases };
}

function add(target: TypedArray | undefined, values: Float32Array): void {
  if (target === undefined) return;
  for (let i = 0; i < target.length; i++) target[i] += values[i];
}

function biasForm({ outChannels, outLayout }: PlannedBranch): Form {
  return imageForm([1, outChannels, 1, 1], outLayout);
}
