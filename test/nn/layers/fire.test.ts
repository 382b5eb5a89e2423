import { Fire } from '@firelight/nn';
import {
  add,
  assign,
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
import { expectClose } from '../../helpers/close.ts';

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

/** Two modules with the same weights, and norms whose parameters differ from channel to channel. */
function twins(): readonly [Fire, Fire] {
  const make = (): Fire => {
    const generator = new Generator(5);
    const fire = new Fire({ ...CHANNELS, bypass: 'conv', batchNorm: true, generator });
    for (const [name, parameter] of fire.namedParameters()) {
      if (name.includes('_bn')) assign(parameter, randn(parameter.shape, { generator }));
    }
    return fire;
  };
  return [make(), make()];
}

/** What a module with batch norm computes, by its layers one after another. */
function oneByOne(fire: Fire, x: Tensor): Tensor {
  const layers = new Map(fire.namedModules());
  const run = (name: string, input: Tensor): Tensor => {
    const normed = layers.get(name)?.forward(input) as Tensor;
    return layers.get(`${name}_bn`)?.forward(normed) as Tensor;
  };
  const squeezed = relu(run('squeeze', x));
  const expanded = relu(concat([run('expand1x1', squeezed), run('expand3x3', squeezed)], 1));
  return add(expanded, run('bypass', x));
}

const changeMode: Record<string, (fire: Fire) => unknown> = {
  training: () => {},
  evaluation: (fire) => fire.eval(),
  'one of the norms frozen': (fire) => new Map(fire.namedModules()).get('expand3x3_bn')?.freeze(),
};

test.each(Object.keys(changeMode))('batch norm is that of the layers one by one: %s', (mode) => {
  const [fire, apart] = twins();
  for (const each of [fire, apart]) changeMode[mode](each);
  const [y, expected] = [fire.forward(image), oneByOne(apart, image)];
  expect(y.data).toEqual(expected.data);
  expect(fire.namedBuffers().map(([, { data }]) => data)).toEqual(
    apart.namedBuffers().map(([, { data }]) => data),
  );
  const gradOut = randn(y.shape, { generator: new Generator(6) });
  y.backward(gradOut);
  expected.backward(gradOut);
  const grads = new Map(apart.namedParameters());
  for (const [name, { grad }] of fire.namedParameters()) {
    const other = grads.get(name)?.grad ?? null;
    expect(grad === null, name).toBe(other === null);
    if (grad === null || other === null) continue;
    // What comes from both expand convolutions is rounded otherwise; the norm leaves only such
    // rounding of the gradient of a bias.
    if (!name.startsWith('squeeze')) expect(grad.data, name).toEqual(other.data);
    else if (name !== 'squeeze.bias') expectClose(grad, other, 1e-5);
  }
});

test('an identity bypass needs equal channels', () => {
  const act = () => new Fire({ ...CHANNELS, inChannels: 5, bypass: 'identity' });
  expect(act).toThrow(ValueError);
  expect(act).toThrow(/as many output channels \(6\) as input channels \(5\); use bypass: 'conv'/);
});
