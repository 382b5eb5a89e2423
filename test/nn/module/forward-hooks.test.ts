import {
  BatchNorm2d,
  Conv2d,
  Fire,
  type ForwardCall,
  Module,
  ReLU,
  Sequential,
} from '@firelight/nn';
import { add, Generator, mean, mul, randn, type Tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** A layer by its kind, of four channels in and out. */
const layerOf = (kind: string, generator: Generator): Module => {
  switch (kind) {
    case 'conv':
      return new Conv2d({ inChannels: 4, outChannels: 4, kernelSize: 3, padding: 1, generator });
    case 'convRelu':
      return new Conv2d({
        inChannels: 4,
        outChannels: 4,
        kernelSize: 1,
        activation: 'relu',
        generator,
      });
    case 'norm':
      return new BatchNorm2d({ numFeatures: 4 });
    case 'relu':
      return new ReLU();
    default:
      return new Fire({
        inChannels: 4,
        squeezeChannels: 2,
        expand1x1Channels: 2,
        expand3x3Channels: 2,
        batchNorm: kind === 'fireNorm',
        bypass: 'identity',
        generator,
      });
  }
};

const kinds = fc.array(fc.constantFrom('conv', 'convRelu', 'norm', 'relu', 'fire', 'fireNorm'), {
  minLength: 1,
  maxLength: 5,
});

const networkOf = (list: readonly string[], seed: number): Sequential => {
  const generator = new Generator(seed);
  return new Sequential(list.map((kind) => layerOf(kind, generator)));
};

/** Output and gradients of a network, as numbers. */
function resultsOf(network: Module, x: Tensor): number[][] {
  const y = network.forward(x);
  mean(mul(y, y)).backward();
  return [y, ...network.parameters().map(({ grad }) => grad as Tensor)].map(({ data }) =>
    Array.from(data),
  );
}

describe('onForward', () => {
  test('changes no output and no gradient, whichever parts of a network are watched', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.integer({ min: 0, max: 1000 }),
        fc.infiniteStream(fc.boolean()),
        (list, seed, watched) => {
          const x = randn([2, 4, 5, 5], { generator: new Generator(seed), requiresGrad: true });
          const expected = resultsOf(networkOf(list, seed), x);
          const network = networkOf(list, seed);
          const calls: string[] = [];
          const names: string[] = [];
          const removers = network.namedModules().flatMap(([name, module]) => {
            if (!watched.next().value) return [];
            names.push(name);
            return [module.onForward(({ output }) => calls.push(`${name} ${output.shape}`))];
          });
          const [output, ...gradients] = resultsOf(network, x);
          expect(output).toEqual(expected[0]);
          // Summed in another order where several convolutions are not computed at once.
          for (const [i, gradient] of gradients.entries()) {
            const size = Math.max(1, ...expected[i + 1].map(Math.abs));
            for (const [j, value] of gradient.entries()) {
              expect(Math.abs(value - expected[i + 1][j])).toBeLessThan(1e-4 * size);
            }
          }
          expect(calls.map((call) => call.split(' ')[0]).sort()).toEqual([...names].sort());
          for (const remove of removers) remove();
          calls.length = 0;
          network.forward(x);
          expect(calls).toEqual([]);
          for (const [, module] of network.namedModules()) {
            expect(Object.hasOwn(module, 'forward')).toBe(false);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('tells of module, input and output, inner ones first, in the order of the hooks', () => {
    const network = networkOf(['conv', 'relu'], 1);
    const calls: [string, ForwardCall][] = [];
    for (const [name, module] of network.namedModules()) {
      module.onForward((call) => calls.push([`${name}:1`, call]));
      module.onForward((call) => calls.push([`${name}:2`, call]));
    }
    const x = randn([1, 4, 3, 3], { generator: new Generator(2) });
    const y = network.forward(x);
    expect(calls.map(([name]) => name)).toEqual(['0:1', '0:2', '1:1', '1:2', ':1', ':2']);
    const [[, first], , [, second], , [, whole]] = calls;
    expect(first.module).toBe(network.layers[0]);
    expect(first.input).toBe(x);
    expect(second.input).toBe(first.output); // Before the ReLU: the parts were computed one by one.
    expect(Math.min(...first.output.data)).toBeLessThan(0);
    expect(whole.output).toBe(y);
  });

  test('counts each registration and each call, also of a layer that is called twice', () => {
    const shared = layerOf('conv', new Generator(3));
    const network = new Sequential([shared, ['again', shared]]);
    let calls = 0;
    const hook = (): void => void calls++;
    const removers = [shared.onForward(hook), shared.onForward(hook)];
    const x = randn([1, 4, 3, 3], { generator: new Generator(4) });
    network.forward(x);
    expect(calls).toBe(4);
    removers[0]();
    removers[0](); // A second time does nothing.
    network.forward(x);
    expect(calls).toBe(6);
    removers[1]();
    network.forward(x);
    expect(calls).toBe(6);
  });

  test('may be removed by the hook itself, and throws on what the hook throws', () => {
    const layer = layerOf('relu', new Generator(0));
    let calls = 0;
    const remove = layer.onForward(() => {
      calls++;
      remove();
    });
    const x = randn([1, 4, 3, 3], { generator: new Generator(5) });
    layer.forward(x);
    layer.forward(x);
    expect(calls).toBe(1);
    layer.onForward(() => {
      throw new Error('seen enough');
    });
    expect(() => layer.forward(x)).toThrow('seen enough');
  });

  test('keeps a forward that is an own property of the module', () => {
    class Twice extends Module {
      override forward = (x: Tensor): Tensor => add(x, x);
    }
    const module = new Twice();
    const own = module.forward;
    const outputs: number[] = [];
    const remove = module.onForward(({ output }) => outputs.push(output.size));
    module.forward(randn([3], { generator: new Generator(6) }));
    remove();
    expect(outputs).toEqual([3]);
    expect(module.forward).toBe(own);
  });
});

test('a ReLU of a class of the user’s own is called, and not taken for the usual one', () => {
  class Leaky extends ReLU {
    override forward(x: Tensor): Tensor {
      return mul(super.forward(x), 2);
    }
  }
  const conv = layerOf('conv', new Generator(7));
  const x = randn([1, 4, 3, 3], { generator: new Generator(8) });
  const plain = new Sequential([conv, new ReLU()]).forward(x);
  const doubled = new Sequential([conv, new Leaky()]).forward(x);
  expect(Array.from(doubled.data)).toEqual(Array.from(plain.data, (value) => 2 * value));
});

test('the activation of a convolution and of a norm is a property, and is checked', () => {
  const conv = new Conv2d({ inChannels: 1, outChannels: 1, kernelSize: 1, activation: 'relu' });
  expect(conv.activation).toBe('relu');
  expect(new BatchNorm2d({ numFeatures: 1 }).activation).toBe('none');
  expect(() => new BatchNorm2d({ numFeatures: 1, activation: 'gelu' as 'relu' })).toThrow(
    "BatchNorm2d: activation must be 'none' or 'relu', got 'gelu'",
  );
});
