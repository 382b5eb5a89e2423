import { permute, reshape, type Tensor } from '@firelight/tensor';
import { BatchNorm2d } from '../../layers/batch-norm2d.ts';
import { Dropout } from '../../layers/dropout.ts';
import { Flatten } from '../../layers/flatten.ts';
import { Linear } from '../../layers/linear.ts';
import { AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d } from '../../layers/pool2d.ts';
import { activationLayer, withActivation } from './activations.ts';
import { Unsupported } from './config.ts';
import { conv2d, depthwiseConv2d, separableConv2d, spatial, unfilled } from './convolutions.ts';
import { type Builder, expectChannelsLast, flattened, imagesIn, inKerasOrder } from './flow.ts';
import { FromChannelsLast, type ImageShape, ZeroPadding2d } from './reshape.ts';

const dense: Builder = (config, flow, take) => {
  if (flow.kind === 'images') throw new Unsupported('Dense on images, without Flatten before it');
  const outFeatures = config.number('units', 0);
  const kernel = take('kernel', [flow.count, outFeatures]);
  const bias = config.boolean('use_bias', true) ? take('bias', [outFeatures]) : null;
  const weight = permute(flow.image === null ? kernel : rowsOf(kernel, flow.image), [1, 0]);
  const layer = new Linear({
    inFeatures: flow.count,
    outFeatures,
    bias: bias !== null,
    ...unfilled(),
  });
  layer.loadStateDict(bias === null ? { weight } : { weight, bias });
  return {
    modules: withActivation(config, [layer]),
    flow: { kind: 'features', count: outFeatures, image: null },
  };
};

/** Rows in the order `[H, W, C]` of Keras in ours, `[C, H, W]`. */
function rowsOf(kernel: Tensor, [C, H, W]: ImageShape): Tensor {
  const [rows, columns] = kernel.shape;
  return reshape(permute(reshape(kernel, [H, W, C, columns]), [2, 0, 1, 3]), [rows, columns]);
}

const batchNormalization: Builder = (config, flow, take) => {
  const shape = imagesIn(config, flow);
  config.expect('axis', -1, 3, [3]);
  const [numFeatures] = shape;
  // They bound the channels by the file's size before anything is made of them.
  const statistics = {
    running_mean: take('moving_mean', [numFeatures]),
    running_var: take('moving_variance', [numFeatures]),
  };
  const layer = new BatchNorm2d({
    numFeatures,
    epsilon: config.number('epsilon', 1e-3),
    momentum: 1 - config.number('momentum', 0.99),
  });
  const scale = config.boolean('scale', true) ? { weight: take('gamma', [numFeatures]) } : {};
  const center = config.boolean('center', true) ? { bias: take('beta', [numFeatures]) } : {};
  layer.loadStateDict({ ...layer.stateDict(), ...statistics, ...scale, ...center });
  return { modules: [layer], flow };
};

const pool =
  (Pool: typeof MaxPool2d | typeof AvgPool2d): Builder =>
  (config, flow) => {
    const shape = imagesIn(config, flow);
    expectChannelsLast(config);
    const kernelSize = config.pair('pool_size', 2);
    const stride = config.value('strides') === null ? kernelSize : config.pair('strides', 1);
    const padding = config.choice('padding', ['valid', 'same'], 'valid');
    const options = { kernelSize, stride, padding };
    // TensorFlow's means are of what is in the image.
    const layer =
      Pool === AvgPool2d ? new Pool({ ...options, countIncludePad: false }) : new Pool(options);
    const size = spatial(config, shape, kernelSize, stride, [1, 1]);
    return { modules: [layer], flow: { kind: 'images', shape: [shape[0], ...size] } };
  };

const globalPool =
  (Pool: typeof GlobalAvgPool2d | typeof GlobalMaxPool2d): Builder =>
  (config, flow) => {
    const [count] = imagesIn(config, flow);
    expectChannelsLast(config);
    if (!config.boolean('keepdims', false)) {
      return { modules: [new Pool()], flow: { kind: 'features', count, image: null } };
    }
    const shape: ImageShape = [count, 1, 1];
    return {
      modules: [new Pool(), new FromChannelsLast(shape)],
      flow: { kind: 'images', shape },
    };
  };

const flatten: Builder = (config, flow) => {
  if (flow.kind === 'features') return { modules: [], flow };
  expectChannelsLast(config);
  return { modules: [new Flatten()], flow: flattened(flow.shape) };
};

const reshaping: Builder = (config, flow) => {
  const count = flow.kind === 'images' ? flow.shape[0] * flow.shape[1] * flow.shape[2] : flow.count;
  const target = config.value('target_shape');
  const isLength = (length: unknown): boolean =>
    Number.isInteger(length) && ((length as number) > 0 || length === -1);
  const isList = Array.isArray(target) && target.every(isLength);
  if (!isList || (target.length !== 1 && target.length !== 3)) return config.refuse('target_shape');
  const known = target.reduce((product, length) => (length < 0 ? product : product * length), 1);
  const sizes = target.map((length) => (length < 0 ? count / known : length));
  const total = sizes.reduce((product, length) => product * length, 1);
  if (total !== count || !sizes.every(Number.isInteger)) return config.refuse('target_shape');
  const before = inKerasOrder(flow);
  if (sizes.length === 1) {
    return { modules: before, flow: { kind: 'features', count, image: null } };
  }
  const [H, W, C] = sizes;
  const shape: ImageShape = [C, H, W];
  return { modules: [...before, new FromChannelsLast(shape)], flow: { kind: 'images', shape } };
};

const zeroPadding2d: Builder = (config, flow) => {
  const [C, H, W] = imagesIn(config, flow);
  expectChannelsLast(config);
  const value = config.value('padding') ?? 1;
  const [rows, columns] = Array.isArray(value) ? value : [value, value];
  const [vertical, horizontal] = [rows, columns].map((side) =>
    Array.isArray(side) ? side : [side, side],
  );
  const isMargin = (side: unknown[]): side is [number, number] =>
    side.length === 2 &&
    side.every((length) => Number.isInteger(length) && (length as number) >= 0);
  if (!isMargin(vertical) || !isMargin(horizontal)) return config.refuse('padding');
  const shape: ImageShape = [C, H + vertical[0] + vertical[1], W + horizontal[0] + horizontal[1]];
  return { modules: [new ZeroPadding2d(vertical, horizontal)], flow: { kind: 'images', shape } };
};

const dropout: Builder = (config, flow) => ({
  modules: [new Dropout({ p: config.number('rate', 0.5) })],
  flow,
});

const activation: Builder = (config, flow) => ({ modules: withActivation(config, []), flow });
const activationOnly: Builder = (config, flow) => ({
  modules: [activationLayer(config, flow)],
  flow,
});

/** Layers of Keras and what they are here. */
export const BUILDERS: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ['InputLayer', (_, flow) => ({ modules: [], flow })],
  ['Conv2D', conv2d],
  ['DepthwiseConv2D', depthwiseConv2d],
  ['SeparableConv2D', separableConv2d],
  ['Dense', dense],
  ['BatchNormalization', batchNormalization],
  ['MaxPooling2D', pool(MaxPool2d)],
  ['AveragePooling2D', pool(AvgPool2d)],
  ['GlobalAveragePooling2D', globalPool(GlobalAvgPool2d)],
  ['GlobalMaxPooling2D', globalPool(GlobalMaxPool2d)],
  ['Flatten', flatten],
  ['Reshape', reshaping],
  ['ZeroPadding2D', zeroPadding2d],
  ['Dropout', dropout],
  ['Activation', activation],
  ['ReLU', activationOnly],
  ['LeakyReLU', activationOnly],
  ['ELU', activationOnly],
  ['Softmax', activationOnly],
]);
