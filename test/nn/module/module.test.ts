import { Conv2d, Module, Sequential } from '@firelight/nn';
import { ones, ShapeError, type Tensor, tensor, ValueError, zeros } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';

class Pair extends Module {
  constructor(names: [string, string] = ['first', 'second']) {
    super();
    this.registerParameter(names[0], zeros([2], { requiresGrad: true }));
    this.registerBuffer(names[1], zeros([3]));
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

describe('names', () => {
  test('are joined by dots, parents first', () => {
    const network = new Sequential([new Pair(), new Sequential([new Pair()])]);
    expect(network.namedParameters().map(([name]) => name)).toEqual(['0.first', '1.0.first']);
    expect(network.namedBuffers().map(([name]) => name)).toEqual(['0.second', '1.0.second']);
    expect(network.namedModules().map(([name]) => name)).toEqual(['', '0', '1', '1.0']);
  });

  test('must be new, not empty, and without dots', () => {
    expect(() => new Pair(['a', 'a'])).toThrow(/Pair: 'a' cannot be registered; the name is taken/);
    expect(() => new Pair(['a.b', 'c'])).toThrow(/must not be empty or contain a dot/);
    expect(() => new Pair(['', 'c'])).toThrow(ValueError);
  });

  test('a parameter needs requiresGrad', () => {
    class Frozen extends Module {
      constructor() {
        super();
        this.registerParameter('weight', zeros([1]));
      }

      forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(() => new Frozen()).toThrow(/'weight' must be made with requiresGrad: true/);
  });
});

test('train and eval reach every module inside', () => {
  const inner = new Pair();
  const network = new Sequential([new Sequential([inner])]);
  expect(inner.training).toBe(true);
  expect(network.eval()).toBe(network);
  expect(inner.training).toBe(false);
  network.train();
  expect(inner.training).toBe(true);
});

describe('stateDict and loadStateDict', () => {
  const make = () => new Conv2d({ inChannels: 1, outChannels: 2, kernelSize: 1 });

  test('carry the values from one network to another', () => {
    const [from, to] = [make(), make()];
    to.loadStateDict(from.stateDict());
    expect(to.weight.data).toEqual(from.weight.data);
    expect(to.weight.data).not.toBe(from.weight.data);
    expect(to.weight.requiresGrad).toBe(true);
  });

  test('convert between floating dtypes', () => {
    const network = make();
    network.loadStateDict({
      weight: tensor([0.5, 2], { shape: [2, 1, 1, 1], dtype: 'float64' }),
      bias: zeros([2]),
    });
    expect(Array.from(network.weight.data)).toEqual([0.5, 2]);
    expect(network.weight.dtype).toBe('float32');
  });

  test('say what is missing and unexpected, and change nothing', () => {
    const network = make();
    const before = Array.from(network.weight.data);
    const state = { weight: ones([2, 1, 1, 1]), gamma: ones([2]) };
    expect(() => network.loadStateDict(state)).toThrow(
      /do not match those of Conv2d; missing: 'bias'; unexpected: 'gamma'; load with strict: false/,
    );
    expect(Array.from(network.weight.data)).toEqual(before);
    const rest = network.loadStateDict(state, { strict: false });
    expect(rest).toEqual({ missing: ['bias'], unexpected: ['gamma'] });
    expect(Array.from(network.weight.data)).toEqual([1, 1]);
  });

  test('name the tensor and both shapes that differ, and change nothing', () => {
    const network = make();
    const before = Array.from(network.weight.data);
    const act = () => network.loadStateDict({ weight: ones([2, 1, 1, 1]), bias: ones([3]) });
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(/'bias' is float32 \[3\], expected float32 \[2\]; build the network with/);
    expect(Array.from(network.weight.data)).toEqual(before);
  });
});
