/** Programs whose names for the parts of networks are known here. */
export type OriginName =
  | 'firelight'
  | 'torchvision'
  | 'timm'
  | 'pytorch'
  | 'mindspore'
  | 'mindcv'
  | 'caffe'
  | 'gluon';

/**
 * How pictures become inputs. A picture's shorter side is made `resizeTo` long, a square of `inputSize`
 * is cut out of its middle, and each channel, in the order of `channelOrder`, becomes
 * x = (byte · scale − mean) / std.
 */
export interface Preprocessing {
  readonly resizeTo: number;
  readonly inputSize: number;
  readonly channelOrder: 'RGB' | 'BGR';
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** What the names of weights tell of where they come from. */
export interface Origin {
  readonly name: OriginName;
  /** Options with which the network computes what it did there, such as `{ pooling: 'ceil' }`. */
  readonly options: Readonly<Record<string, string>>;
  /** What weights that know ImageNet's thousand classes expect; null for others, as no name tells it. */
  readonly preprocessing: Preprocessing | null;
  /** In what the network there computes something else, whatever the options. */
  readonly differences: readonly string[];
}

/** @see pytorch/vision, torchvision/transforms/_presets.py, ImageClassification */
export const OF_TORCHVISION: Preprocessing = {
  resizeTo: 256,
  inputSize: 224,
  channelOrder: 'RGB',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** @see huggingface/pytorch-image-models, timm/models/vision_transformer.py, _cfg */
export const OF_TIMM: Preprocessing = {
  ...OF_TORCHVISION,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** @see keras-team/keras-applications, keras_applications/imagenet_utils.py, mode='caffe' */
export const OF_CAFFE_224: Preprocessing = {
  resizeTo: 256,
  inputSize: 224,
  channelOrder: 'BGR',
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** @see forresti/SqueezeNet, SqueezeNet_v1.0/train_val.prototxt, transform_param */
export const OF_CAFFE: Preprocessing = {
  resizeTo: 256,
  inputSize: 227,
  channelOrder: 'BGR',
  scale: 1,
  mean: [104, 117, 123],
  std: [1, 1, 1],
};
