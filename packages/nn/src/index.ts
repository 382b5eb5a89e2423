export * as initializers from './initializers/index.ts';
export { BatchNorm2d, type BatchNorm2dLayerOptions } from './layers/batch-norm2d.ts';
export { Conv2d, type Conv2dLayerOptions } from './layers/conv2d.ts';
export { Dropout, type DropoutLayerOptions } from './layers/dropout.ts';
export { Fire, type FireOptions } from './layers/fire.ts';
export { Flatten } from './layers/flatten.ts';
export { Linear, type LinearOptions } from './layers/linear.ts';
export { AvgPool2d, GlobalAvgPool2d, MaxPool2d } from './layers/pool2d.ts';
export { ReLU } from './layers/relu.ts';
export { Sequential } from './layers/sequential.ts';
export {
  type Reduction,
  type SoftmaxCrossEntropyOptions,
  SoftmaxCrossEntropyWithLogits,
} from './losses/softmax-cross-entropy-with-logits.ts';
export {
  type FireDimensions,
  fireDimensions,
  type Metaparameters,
} from './models/fire-dimensions.ts';
export { SqueezeNet, type SqueezeNetOptions } from './models/squeezenet.ts';
export { Module, type StateDict } from './module.ts';
export { Momentum, type MomentumOptimizerOptions } from './optimizers/momentum.ts';
export type { LearningRate, OptimizerOptions, ParameterGroup } from './optimizers/optimizer.ts';
export { type GetLrOptions, getLr, type LrDecayMode } from './schedules.ts';
