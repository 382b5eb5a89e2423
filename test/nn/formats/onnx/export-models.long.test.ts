import { ResNet, SqueezeNet, VGG } from '@firelight/nn';
import { Generator } from '@firelight/tensor';
import { test } from 'vitest';
import { expectRoundTrips, type NamedNetwork } from '../../../helpers/onnx-round-trip.ts';
import { WINOGRAD_ERROR } from '../../../helpers/tolerances.ts';

const seeded = { generator: new Generator(1), numClasses: 5 };

const NETWORKS: readonly NamedNetwork[] = [
  ['ResNet-18', () => new ResNet({ depth: 18, width: 2, ...seeded }), [1, 3, 65, 61]],
  [
    'ResNet-50',
    () => new ResNet({ depth: 50, width: 2, stem: 'cifar', ...seeded }),
    [1, 3, 17, 16],
  ],
  ['SqueezeNet 1.0', () => new SqueezeNet({ version: '1.0', ...seeded }), [1, 3, 48, 37]],
  ['SqueezeNet 1.1', () => new SqueezeNet({ version: '1.1', ...seeded }), [1, 3, 64, 61]],
  [
    'SqueezeNet with norms and bypass',
    () => new SqueezeNet({ stem: 'cifar', batchNorm: true, bypass: 'complex', ...seeded }),
    [1, 3, 16, 17],
  ],
  [
    'VGG-16 with norms',
    () => new VGG({ depth: 16, batchNorm: true, width: 4, hiddenFeatures: 8, ...seeded }),
    [1, 3, 40, 33],
  ],
];

// Their convolutions of 3×3 are computed by Winograd's algorithm here.
test.each(NETWORKS)(
  '%s',
  (_, make, inputShape) => expectRoundTrips(make(), inputShape, WINOGRAD_ERROR),
  60_000,
);
