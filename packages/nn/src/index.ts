/**
 * Layers, networks, losses, optimizers, schedules, training with callbacks, and checkpoints.
 *
 * @module @firelight/nn
 */

export type { TextStream } from '@firelight/tensor/extend';
export { CSVLogger } from './callbacks/csv-logger.ts';
export { EarlyStopping, type EarlyStoppingOptions } from './callbacks/early-stopping.ts';
export type { LogOptions } from './callbacks/log-file.ts';
export { LearningRateMonitor, LossMonitor, type MonitorOptions } from './callbacks/loss-monitor.ts';
export { MetricsLog } from './callbacks/metrics-log.ts';
export {
  type EpochRow,
  type MetricsRow,
  readMetricsLog,
  type StepRow,
} from './callbacks/metrics-rows.ts';
export {
  type CheckpointConfig,
  ModelCheckpoint,
  type ModelCheckpointOptions,
} from './callbacks/model-checkpoint.ts';
export { type Progress, ProgressBar } from './callbacks/progress-bar.ts';
export { TensorBoard } from './callbacks/tensor-board.ts';
export { TimeMonitor } from './callbacks/time-monitor.ts';
export { writeFileAtomic } from './checkpoint/atomic-write.ts';
export {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  type SaveOptions,
  saveCheckpoint,
} from './checkpoint/checkpoint.ts';
export type { CheckpointFormat } from './checkpoint/format.ts';
export { registerCheckpointFormat } from './checkpoint/formats.ts';
export { latestCheckpoint } from './checkpoint/latest.ts';
export { type LoadOptions, loadParamIntoNet } from './checkpoint/load-param.ts';
export type {
  FileContent,
  OptimizerContent,
  OptimizerGroup,
  OptimizerSetting,
  Snapshot,
} from './checkpoint/snapshot.ts';
export {
  ConstrainedOptimizer,
  type WeightConstraint,
} from './compression/constrained-optimizer.ts';
export { type PruneOptions, Pruning, prune } from './compression/prune.ts';
export { dequantize, quantize } from './compression/quantize.ts';
export { SharedWeights, type ShareOptions, shareWeights } from './compression/share-weights.ts';
export { CheckpointError, TrainingError } from './core/errors.ts';
export * as initializers from './initializers/index.ts';
export {
  CELU,
  ELU,
  GELU,
  HardShrink,
  HardSigmoid,
  HardSwish,
  Identity,
  LeakyReLU,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  SoftShrink,
  Softsign,
  Tanh,
} from './layers/activations.ts';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
} from './layers/adaptive-pool.ts';
export { BatchNorm2d, type BatchNorm2dLayerOptions } from './layers/batch-norm2d.ts';
export { ConvTranspose1d, type ConvTranspose1dLayerOptions } from './layers/conv-transpose1d.ts';
export { ConvTranspose2d, type ConvTranspose2dLayerOptions } from './layers/conv-transpose2d.ts';
export { Conv1d, type Conv1dLayerOptions } from './layers/conv1d.ts';
export { Conv2d, type Conv2dLayerOptions } from './layers/conv2d.ts';
export {
  DepthwiseSeparableConv2d,
  type DepthwiseSeparableConv2dOptions,
} from './layers/depthwise-separable-conv2d.ts';
export { Dropout, type DropoutLayerOptions } from './layers/dropout.ts';
export { Embedding, type EmbeddingOptions } from './layers/embedding.ts';
export { Fire, type FireOptions } from './layers/fire.ts';
export { Flatten } from './layers/flatten.ts';
export {
  GroupNorm,
  type GroupNormOptions,
  InstanceNorm2d,
  type InstanceNorm2dOptions,
} from './layers/group-norm.ts';
export { LayerNorm, type LayerNormLayerOptions, RMSNorm } from './layers/layer-norm.ts';
export { Linear, type LinearOptions } from './layers/linear.ts';
export { MaxUnpool2d } from './layers/max-unpool2d.ts';
export { ModuleList } from './layers/module-list.ts';
export {
  MultiHeadAttention,
  type MultiHeadAttentionCall,
  type MultiHeadAttentionOptions,
} from './layers/multi-head-attention.ts';
export { AvgPool1d, MaxPool1d } from './layers/pool1d.ts';
export { AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d } from './layers/pool2d.ts';
export { ReLU } from './layers/relu.ts';
export { Sequential } from './layers/sequential.ts';
export {
  TransformerEncoderLayer,
  type TransformerEncoderLayerOptions,
} from './layers/transformer-encoder-layer.ts';
export { Upsample } from './layers/upsample.ts';
export { BCEWithLogitsLoss, HuberLoss, L1Loss, MSELoss } from './losses/elementwise-losses.ts';
export { NLLLoss, type NLLLossOptions } from './losses/nll-loss.ts';
export type { LossOptions, Reduction } from './losses/reduction.ts';
export {
  type SoftmaxCrossEntropyOptions,
  SoftmaxCrossEntropyWithLogits,
} from './losses/softmax-cross-entropy-with-logits.ts';
export { Accuracy, TopK } from './metrics/accuracy.ts';
export type { MetricName, MetricsOption } from './metrics/by-name.ts';
export {
  type AverageOption,
  type AverageOptions,
  ConfusionMatrix,
  F1,
  Precision,
  Recall,
} from './metrics/confusion-matrix.ts';
export { Loss } from './metrics/loss.ts';
export type { Metric, MetricValue } from './metrics/metric.ts';
export { AirbenchNet, type AirbenchNetOptions } from './models/airbench-net.ts';
export {
  type FireDimensions,
  fireDimensions,
  type Metaparameters,
} from './models/fire-dimensions.ts';
export {
  type InterpolateEmbeddingsOptions,
  interpolateEmbeddings,
} from './models/interpolate-embeddings.ts';
export { LeNet5, type LeNet5Options } from './models/lenet5.ts';
export { MobileNetV2, type MobileNetV2Options } from './models/mobilenet-v2.ts';
export { ResNet, type ResNetDepth, type ResNetOptions } from './models/resnet.ts';
export { SqueezeNet, type SqueezeNetOptions } from './models/squeezenet.ts';
export { VGG, type VGGDepth, type VGGOptions } from './models/vgg.ts';
export {
  VisionTransformer,
  type VisionTransformerOptions,
  type VisionTransformerVariant,
} from './models/vision-transformer.ts';
export { type WhiteningOptions, whiteningWeights } from './models/whitening.ts';
export { type ForwardCall, type ForwardHook, Module, type StateDict } from './module/module.ts';
export type { NamePattern } from './module/name-patterns.ts';
export { Adam, type AdamOptions, AdamW } from './optimizers/adam.ts';
export { clipGradNorm } from './optimizers/clip-grad-norm.ts';
export {
  type GroupSettings,
  type LearningRate,
  type ParameterGroup,
  type PatternGroup,
  parameterGroups,
} from './optimizers/groups.ts';
export { airbenchAlpha, Lookahead, type LookaheadOptions } from './optimizers/lookahead.ts';
export { Momentum, type MomentumOptimizerOptions } from './optimizers/momentum.ts';
export { MultiOptimizer } from './optimizers/multi-optimizer.ts';
export { Muon, type MuonOptions } from './optimizers/muon.ts';
export { Optimizer, type OptimizerOptions } from './optimizers/optimizer.ts';
export { RMSProp, type RMSPropOptions } from './optimizers/rmsprop.ts';
export { SGD, type SGDOptions } from './optimizers/sgd.ts';
export { cosineRestarts } from './schedules/cosine-restarts.ts';
export { type GetLrOptions, getLr, type LrDecayMode } from './schedules/get-lr.ts';
export { oneCycle } from './schedules/one-cycle.ts';
export { type Schedule, toArray, warmup } from './schedules/schedule.ts';
export { stepDecay } from './schedules/step-decay.ts';
export { type LayerSummary, NetworkSummary, summary } from './summary.ts';
export type { Callback, TrainingContext } from './training/callback.ts';
export { Model, type ModelOptions, type TrainOptions } from './training/model.ts';
export type { LossFunction } from './training/train-step.ts';
export type { LabelledBatch, StopSignal, TrainingData } from './training/training-data.ts';
export type { TrainingResult } from './training/training-run.ts';
export { WeightAverage } from './training/weight-average.ts';
