import { Fire } from '@firelight/nn';
import {
  add,
  concat,
  conv2d,
  Generator,
  gradCheck,
  randn,
  relu,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { expect, test } from 'vitest';
import { expectClose } from '../helpers/close.ts';

const CHANNELS = {
  inChannels: 6,
  squeezeChannels: 2,
  expand1x1Channels: 3,
  expand3x3Channels: 3,
} as const;
const image = randn([2, 6, 5, 4], { generator: new Generator(1) });

/** Fire written out with operations, from the parameters in the order in which they are listed. */
function written(bypass: 'none' | 'identity' | 'conv') {
  return (x: Tensor, ...p: Tensor[]): Tensor => {
    const squeezed = relu(conv2d(x, p[0], p[1]));
    const expand3x3 = relu(conv2d(squeezed, p[4], p[5], { padding: 1 }));
    const y = concat([relu(conv2d(squeezed, p[2], p[3])), expand3x3], 1);
    if (bypass === 'none') return y;
    return add(y, bypass === 'identity' ? x : conv2d(x, p[6], p[7]));
  };
}

test.each(['none', 'identity', 'conv'] as const)('bypass %s is what is written out', (bypass) => {
  const fire = new Fire({ ...CHANNELS, bypass, generator: new Generator(2) });
  expectClose(fire.forward(image), written(bypass)(image, ...fire.parameters()), 1e-6);
});

test('the gradient of a whole Fire module is right', () => {
  const fire = new Fire({ ...CHANNELS, bypass: 'conv', generator: new Generator(3) });
  // Biases that are not 0: a pixel whose squeezed channels are all 0 would sit on the next kink.
  const generator = new Generator(4);
  const parameters = fire.parameters().map(({ shape }) => randn(shape, { generator }));
  const error = gradCheck(written('conv'), [image, ...parameters], { step: 1e-5 });
  expect(error).toBeLessThan(1e-6);
});

test('batch norm follows each convolution', () => {
  const fire = new Fire({ ...CHANNELS, batchNorm: true, generator: new Generator(2) });
  expect(fire.namedModules().map(([name]) => name)).toEqual([
    '',
    'squeeze',
    'squeeze_bn',
    'expand1x1',
    'expand1x1_bn',
    'expand3x3',
    'expand3x3_bn',
  ]);
  fire.forward(image);
  const moved = fire.namedBuffers().filter(([, { data }]) => data.some((v) => v !== 0 && v !== 1));
  expect(moved).toHaveLength(6);
});

test('an identity bypass needs equal channels', () => {
  const act = () => new Fire({ ...CHANNELS, inChannels: 5, bypass: 'identity' });
  expect(act).toThrow(ValueError);
  expect(act).toThrow(/as many output channels \(6\) as input channels \(5\); use bypass: 'conv'/);
});
