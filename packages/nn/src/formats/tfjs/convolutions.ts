import { Generator, permute, reshape, type Tensor } from '@firelight/tensor';
import { windowCount } from '@firelight/tensor/extend';
import { Conv2d, type Conv2dLayerOptions } from '../../layers/conv2d.ts';
import { withActivation } from './activations.ts';
import type { Config } from './config.ts';
import { type Builder, expectChannelsLast, imagesIn } from './flow.ts';
import type { ImageShape } from './reshape.ts';

/** First weights are replaced, so they need not be drawn. */
export const unfilled = () => ({ weightInit: 0, generator: new Generator(0) }) as const;

/** Height and width that windows leave of images, as in TensorFlow. */
export function spatial(
  config: Config,
  [, height, width]: ImageShape,
  kernel: readonly [number, number],
  stride: readonly [number, number],
  dilation: readonly [number, number],
): readonly [number, number] {
  const isSame = config.choice('padding', ['valid', 'same'], 'valid') === 'same';
  const lengthOf = (size: number, axis: 0 | 1): number => {
    if (isSame) return Math.ceil(size / stride[axis]);
    const span = dilation[axis] * (kernel[axis] - 1) + 1;
    return Math.max(0, windowCount(size, [0, 0], span, stride[axis], { ceilMode: false }));
  };
  return [lengthOf(height, 0), lengthOf(width, 1)];
}

/** A convolution with weights already in our order, `[outChannels, inChannels / groups, kH, kW]`. */
function convolution(
  options: Pick<Conv2dLayerOptions, 'inChannels' | 'outChannels' | 'groups' | 'kernelSize'>,
  rest: Pick<Conv2dLayerOptions, 'stride' | 'dilation' | 'padding'>,
  weight: Tensor,
  bias: Tensor | null,
): Conv2d {
  const layer = new Conv2d({ ...options, ...rest, bias: bias !== null, ...unfilled() });
  layer.loadStateDict(bias === null ? { weight } : { weight, bias });
  return layer;
}

/** What `Conv2D` and its kinds have in common. */
function window(config: Config) {
  expectChannelsLast(config);
  const [kernel, stride] = [config.pair('kernel_size', 1), config.pair('strides', 1)];
  const dilation = config.pair('dilation_rate', 1);
  const padding = config.choice('padding', ['valid', 'same'], 'valid');
  return { kernel, stride, dilation, padding };
}

/** `Conv2D`. */
export const conv2d: Builder = (config, flow, take) => {
  const shape = imagesIn(config, flow);
  config.expect('groups', 1);
  const { kernel, stride, dilation, padding } = window(config);
  const outChannels = config.number('filters', 0);
  const kernelShape = [...kernel, shape[0], outChannels];
  const weight = permute(take('kernel', kernelShape), [3, 2, 0, 1]);
  const bias = config.boolean('use_bias', true) ? take('bias', [outChannels]) : null;
  const layer = convolution(
    { inChannels: shape[0], outChannels, kernelSize: kernel },
    { stride, dilation, padding },
    weight,
    bias,
  );
  const size = spatial(config, shape, kernel, stride, dilation);
  return {
    modules: withActivation(config, [layer]),
    flow: { kind: 'images', shape: [outChannels, ...size] },
  };
};

/** `[kH, kW, C, multiplier]` of Keras as `[C · multiplier, 1, kH, kW]`. */
function depthwiseWeight(weight: Tensor): Tensor {
  const [kH, kW, channels, multiplier] = weight.shape;
  return reshape(permute(weight, [2, 3, 0, 1]), [channels * multiplier, 1, kH, kW]);
}

/** `SeparableConv2D`: a depthwise convolution, then one of single pixels. */
export const separableConv2d: Builder = (config, flow, take) => {
  const shape = imagesIn(config, flow);
  const { kernel, stride, dilation, padding } = window(config);
  const [inChannels] = shape;
  const inner = inChannels * config.number('depth_multiplier', 1);
  const outChannels = config.number('filters', 0);
  const weight = take('depthwise_kernel', [...kernel, inChannels, inner / inChannels]);
  const depthwise = convolution(
    { inChannels, outChannels: inner, groups: inChannels, kernelSize: kernel },
    { stride, dilation, padding },
    depthwiseWeight(weight),
    null,
  );
  const pointwise = convolution(
    { inChannels: inner, outChannels, kernelSize: 1 },
    {},
    permute(take('pointwise_kernel', [1, 1, inner, outChannels]), [3, 2, 0, 1]),
    config.boolean('use_bias', true) ? take('bias', [outChannels]) : null,
  );
  const size = spatial(config, shape, kernel, stride, dilation);
  return {
    modules: withActivation(config, [depthwise, pointwise]),
    flow: { kind: 'images', shape: [outChannels, ...size] },
  };
};

/** `DepthwiseConv2D`. */
export const depthwiseConv2d: Builder = (config, flow, take) => {
  const shape = imagesIn(config, flow);
  const { kernel, stride, dilation, padding } = window(config);
  const multiplier = config.number('depth_multiplier', 1);
  const [inChannels] = shape;
  const outChannels = inChannels * multiplier;
  const weight = take('depthwise_kernel', [...kernel, inChannels, multiplier]);
  const bias = config.boolean('use_bias', true) ? take('bias', [outChannels]) : null;
  const layer = convolution(
    { inChannels, outChannels, groups: inChannels, kernelSize: kernel },
    { stride, dilation, padding },
    depthwiseWeight(weight),
    bias,
  );
  const size = spatial(config, shape, kernel, stride, dilation);
  return {
    modules: withActivation(config, [layer]),
    flow: { kind: 'images', shape: [outChannels, ...size] },
  };
};
