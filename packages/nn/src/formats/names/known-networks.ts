import { Generator, type Shape, tidy } from '@firelight/tensor';
import { AirbenchNet } from '../../models/airbench-net.ts';
import { LeNet5 } from '../../models/lenet5.ts';
import { MobileNetV2 } from '../../models/mobilenet-v2.ts';
import { ResNet, type ResNetDepth } from '../../models/resnet.ts';
import { SqueezeNet, type SqueezeNetOptions } from '../../models/squeezenet.ts';
import { VGG, type VGGDepth } from '../../models/vgg.ts';
import {
  VisionTransformer,
  type VisionTransformerVariant,
} from '../../models/vision-transformer.ts';
import type { Module } from '../../module/module.ts';
import { type NamedNetwork, namedNetwork } from './fit.ts';

/** Options that a network is created with besides its own, as the weights tell. */
interface CreateOptions {
  readonly numClasses?: number;
  readonly inChannels?: number;
  readonly [option: string]: unknown;
}

/** A network of this library, which weights may be of. */
export interface KnownNetwork {
  /** `SqueezeNet({ version: '1.1' })`. */
  readonly label: string;
  /** Its names. */
  readonly named: () => NamedNetwork;
  readonly create: (options?: CreateOptions) => Module;
  /** The name here of a tensor, and its shape, that tells it from another of the same names. */
  readonly telling?: readonly [name: string, shape: Shape];
}

/** One of their own, so that skeletons take no random numbers of the user's. */
const seeded = () => ({ generator: new Generator(0) });

/** The names of a network, which are those of the smallest one of its kind; made when first asked for. */
function namesOf(skeleton: () => Module): () => NamedNetwork {
  let named: NamedNetwork | undefined;
  return () => {
    named ??= tidy(() => namedNetwork(skeleton()));
    return named;
  };
}

/** The least metaparameters that give whole channels. */
const SMALL_FIRE = { baseExpand: 8, expandIncrement: 8 };

function squeezeNet(options: SqueezeNetOptions, label: string): KnownNetwork {
  const { version } = options;
  const kernel = version === '1.1' ? [64, 3, 3, 3] : [96, 3, 7, 7];
  return {
    label: `SqueezeNet(${label})`,
    named: namesOf(
      () => new SqueezeNet({ ...options, numClasses: 1, metaparameters: SMALL_FIRE, ...seeded() }),
    ),
    create: (more) => new SqueezeNet({ ...options, ...more }),
    telling: ['features.0.weight', kernel],
  };
}

const squeezeNets = (['1.0', '1.1'] as const).flatMap((version) => [
  squeezeNet({ version }, `{ version: '${version}' }`),
  squeezeNet({ version, batchNorm: true }, `{ version: '${version}', batchNorm: true }`),
  squeezeNet({ version, bypass: 'complex' }, `{ version: '${version}', bypass: 'complex' }`),
]);

const resNets = ([18, 34, 50, 20, 32, 44, 56] satisfies ResNetDepth[]).flatMap((depth) => {
  const resNet = (label: string, options: object): KnownNetwork => ({
    label: `ResNet({ depth: ${depth}${label} })`,
    named: namesOf(() => new ResNet({ depth, ...options, width: 1, numClasses: 1, ...seeded() })),
    create: (more) => new ResNet({ depth, ...options, ...more }),
  });
  const isOfCifar = new Set<number>([20, 32, 44, 56]).has(depth);
  const projection = { shortcut: 'projection' };
  return [resNet('', {}), ...(isOfCifar ? [resNet(", shortcut: 'projection'", projection)] : [])];
});

const vggs = ([11, 13, 16, 19] satisfies VGGDepth[]).flatMap((depth) =>
  [false, true].map((batchNorm): KnownNetwork => {
    const small = { width: 1, hiddenFeatures: 1, poolSize: 1, numClasses: 1 };
    return {
      label: `VGG({ depth: ${depth}${batchNorm ? ', batchNorm: true' : ''} })`,
      named: namesOf(() => new VGG({ depth, batchNorm, ...small, ...seeded() })),
      create: (more) => new VGG({ depth, batchNorm, ...more }),
    };
  }),
);

/** Layers of each variant, and its first weights, `[hiddenDim, 3, patchSize, patchSize]`. */
const TRANSFORMERS: Readonly<Record<VisionTransformerVariant, readonly [number, Shape]>> = {
  'B/16': [12, [768, 3, 16, 16]],
  'B/32': [12, [768, 3, 32, 32]],
  'L/16': [24, [1024, 3, 16, 16]],
  'L/32': [24, [1024, 3, 32, 32]],
  'H/14': [32, [1280, 3, 14, 14]],
  cifar: [9, [192, 3, 4, 4]],
};

const transformers = Object.entries(TRANSFORMERS).map(
  ([name, [numLayers, kernel]]): KnownNetwork => {
    const variant = name as VisionTransformerVariant;
    const small = {
      imageSize: 1,
      patchSize: 1,
      numHeads: 1,
      hiddenDim: 1,
      mlpDim: 1,
      numClasses: 1,
    };
    return {
      label: `VisionTransformer({ variant: '${name}' })`,
      named: namesOf(() => new VisionTransformer({ variant, numLayers, ...small, ...seeded() })),
      create: (more) => new VisionTransformer({ variant, ...more }),
      telling: ['conv_proj.weight', kernel],
    };
  },
);

/** The networks of this library, the likeliest first. */
export const KNOWN_NETWORKS: readonly KnownNetwork[] = [
  ...squeezeNets,
  ...resNets,
  {
    label: 'MobileNetV2()',
    named: namesOf(() => new MobileNetV2({ widthMultiplier: 0.05, numClasses: 1, ...seeded() })),
    create: (more) => new MobileNetV2(more),
  },
  ...vggs,
  {
    label: 'LeNet5()',
    named: namesOf(() => new LeNet5(seeded())),
    create: (more) => new LeNet5(more),
  },
  ...transformers,
  {
    label: 'AirbenchNet()',
    named: namesOf(() => new AirbenchNet({ widths: [1, 1, 1], numClasses: 1, ...seeded() })),
    create: (more) => new AirbenchNet(more),
  },
];
