import { NdArray } from '../../../core/ndarray.ts';
import type { Activation } from '../../contract.ts';
import type { DeviceArray } from '../device/device.ts';
import { type GpuSettings, inPass, type Pass, someOf } from '../device/pass.ts';
import type { ChannelLayout } from '../layout/channel-layout.ts';
import { imageForm, type Shape4 } from '../layout/form.ts';
import { joinProgram } from '../programs/elementwise.ts';
import { forwardProgram } from '../programs/forward.ts';
import { geometryOf, imageRanges, type Plan } from './plan.ts';

/** The convolutions of `images` images; `input` gives them on the device in a layout. */
function forwardOnDevice(
  pass: Pass,
  plan: Plan,
  images: number,
  input: (layout: ChannelLayout) => DeviceArray,
  activation: Activation,
): DeviceArray {
  const { dialect } = pass.device;
  const [, , height, width] = plan.outShape;
  const outputs = plan.branches.map((planned) => {
    const { weight, bias } = planned.branch;
    const program = forwardProgram(dialect, geometryOf(plan, planned, images), {
      hasBias: bias !== null,
      relu: activation === 'relu',
    });
    const values = [input(planned.inLayout), pass.weights(weight, planned.outLayout)];
    if (bias !== null) values.push(pass.channels(bias, planned.outLayout));
    return { array: pass.run(program, values), quads: planned.quads };
  });
  const joined = outputs.reduce((first, second) => {
    const quads = [first.quads, second.quads] as const;
    const program = joinProgram(dialect, { images, height, width, quads });
    return { array: pass.run(program, [first.array, second.array]), quads: quads[0] + quads[1] };
  });
  return joined.array;
}

/** The output of all branches, with the activation applied. */
export function conv2dForward(
  settings: GpuSettings,
  plan: Plan,
  x: NdArray,
  activation: Activation,
): NdArray {
  const { inShape, outShape, outLayout, imagesAtOnce } = plan;
  const [images] = inShape;
  if (images <= imagesAtOnce) {
    return inPass(settings, (pass) => {
      const input = (layout: ChannelLayout): DeviceArray => pass.images(x, layout);
      const y = forwardOnDevice(pass, plan, images, input, activation);
      return pass.result(y, outShape, imageForm(outShape, outLayout));
    });
  }
  // Too many images for one array of the device: some at a time, each read back at once.
  const y = NdArray.zeros(outShape, 'float32');
  for (const range of imageRanges(images, imagesAtOnce)) {
    inPass(settings, (pass) => {
      const count = range.end - range.start;
      const input = (layout: ChannelLayout): DeviceArray => pass.someImages(x, layout, range);
      const part = forwardOnDevice(pass, plan, count, input, activation);
      const shape: Shape4 = [count, outShape[1], outShape[2], outShape[3]];
      someOf(y, range).set(imageForm(shape, outLayout).unpack(pass.device.read(part)));
    });
  }
  return y;
}
