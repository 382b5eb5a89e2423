import { fireDimensions, SqueezeNet, type SqueezeNetOptions } from '@firelight/nn';
import { Generator, randn, ShapeError, sum, ValueError, zeros } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const countOf = (options: SqueezeNetOptions): number =>
  new SqueezeNet(options).parameters().reduce((sum, { size }) => sum + size, 0);

/** Eight Fire modules with 8 or 16 expand channels, so that tests are quick. */
const TINY = { baseExpand: 8, expandIncrement: 8, frequency: 4, squeezeRatio: 0.25 };

describe('parameter counts', () => {
  // torchvision's metadata (1000 classes); the paper's bypass; the tutorial's 10 classes.
  test.each<[SqueezeNetOptions, number]>([
    [{ numClasses: 10 }, 740_554],
    [{ numClasses: 100 }, 786_724],
    [{}, 1_248_424],
    [{ bypass: 'simple' }, 1_248_424],
    [{ bypass: 'complex' }, 1_589_672],
    [{ numClasses: 10, bypass: 'complex' }, 1_081_802],
    [{ version: '1.1' }, 1_235_496],
    [{ numClasses: 10, version: '1.1' }, 727_626],
  ])('%j has %i', (options, expected) => {
    expect(countOf(options)).toBe(expected);
  });

  test('of each layer as in the tutorial', () => {
    const counts = new Map<string, number>();
    for (const [name, { size }] of new SqueezeNet({ numClasses: 10 }).namedParameters()) {
      const layer = name
        .split('.')
        .slice(0, name.startsWith('features') ? 2 : 1)
        .join('.');
      counts.set(layer, (counts.get(layer) ?? 0) + size);
    }
    expect(Object.fromEntries(counts)).toEqual({
      'features.0': 14_208,
      'features.3': 11_920,
      'features.4': 12_432,
      'features.5': 45_344,
      'features.7': 49_440,
      'features.8': 104_880,
      'features.9': 111_024,
      'features.10': 188_992,
      'features.12': 197_184,
      final_conv: 5_130,
    });
  });

  test('batch norm adds a scale and a shift for every channel of every convolution', () => {
    const network = new SqueezeNet({ numClasses: 10, batchNorm: true });
    const channels = network
      .namedParameters()
      .filter(([name]) => name.endsWith('.bias') && !name.includes('_bn'))
      .reduce((sum, [, { size }]) => sum + size, 0);
    expect(countOf({ numClasses: 10, batchNorm: true })).toBe(740_554 + 2 * channels);
    const buffers = network.namedBuffers().reduce((sum, [, { size }]) => sum + size, 0);
    expect(buffers).toBe(2 * channels);
  });
});

describe('names', () => {
  test('of 1.1 count the pools where they are', () => {
    const names = new SqueezeNet({ version: '1.1' }).namedParameters().map(([name]) => name);
    const fires = [3, 4, 6, 7, 9, 10, 11, 12];
    expect(names).toEqual([
      'features.0.weight',
      'features.0.bias',
      ...fires.flatMap((i) =>
        ['squeeze', 'expand1x1', 'expand3x3'].flatMap((part) => [
          `features.${i}.${part}.weight`,
          `features.${i}.${part}.bias`,
        ]),
      ),
      'final_conv.weight',
      'final_conv.bias',
    ]);
  });

  test('of batch norms and bypasses stand beside those of the convolutions', () => {
    const network = new SqueezeNet({ batchNorm: true, bypass: 'complex', metaparameters: TINY });
    const names = Object.keys(network.stateDict());
    expect(names).toContain('features.0_bn.weight');
    expect(names).toContain('features.3.squeeze_bn.running_mean');
    expect(names).toContain('features.3.bypass.weight');
    expect(names).toContain('features.3.bypass_bn.running_var');
    expect(names).toContain('final_conv_bn.bias');
    expect(names).not.toContain('features.4.bypass.weight');
  });
});

describe('forward', () => {
  test('takes 32 × 32 images with stem cifar, in both versions', () => {
    for (const version of ['1.0', '1.1'] as const) {
      const options = { version, stem: 'cifar', numClasses: 7, metaparameters: TINY } as const;
      expect(new SqueezeNet(options).forward(zeros([2, 3, 32, 32])).shape).toEqual([2, 7]);
    }
  });

  test('gives logits and a gradient for every parameter, whatever the options', () => {
    const options = fc.record({
      version: fc.constantFrom('1.0' as const, '1.1' as const),
      bypass: fc.constantFrom('none' as const, 'simple' as const, 'complex' as const),
      batchNorm: fc.boolean(),
      headRelu: fc.boolean(),
      stem: fc.constantFrom('imagenet' as const, 'cifar' as const),
      pooling: fc.constantFrom('floor' as const, 'ceil' as const),
    });
    fc.assert(
      fc.property(options, fc.nat(), (chosen, seed) => {
        const generator = new Generator(seed);
        const network = new SqueezeNet({
          ...chosen,
          numClasses: 3,
          metaparameters: TINY,
          generator,
        });
        const size = network.smallestInput + 4;
        const logits = network.forward(randn([2, 3, size, size], { generator }));
        expect(logits.shape).toEqual([2, 3]);
        sum(logits).backward();
        for (const [name, { grad }] of network.namedParameters()) {
          expect(grad, name).not.toBeNull();
        }
      }),
      { seed: 1, numRuns: 12 },
    );
  });

  test('repeats itself for the same seed, and dropout only drops while training', () => {
    const make = () => new SqueezeNet({ metaparameters: TINY, generator: new Generator(5) });
    const image = randn([1, 3, 35, 35], { generator: new Generator(6) });
    const [a, b] = [make(), make()];
    expect(a.forward(image).data).toEqual(b.forward(image).data);
    expect(a.forward(image).data).not.toEqual(a.forward(image).data);
    a.eval();
    expect(a.forward(image).data).toEqual(a.forward(image).data);
  });

  test('keeps logits from being negative only with the ReLU of the head', () => {
    const image = randn([4, 3, 35, 35], { generator: new Generator(1) });
    const smallest = (headRelu: boolean): number => {
      const generator = new Generator(0);
      const network = new SqueezeNet({ headRelu, metaparameters: TINY, generator }).eval();
      return Math.min(...network.forward(image).data);
    };
    expect(smallest(true)).toBeGreaterThanOrEqual(0);
    expect(smallest(false)).toBeLessThan(0);
  });

  // By hand from the windows; torchvision's 1.0 and 1.1, which round up, take 21 and 17.
  test.each<[SqueezeNetOptions, number]>([
    [{}, 35],
    [{ pooling: 'ceil' }, 21],
    [{ version: '1.1' }, 31],
    [{ version: '1.1', pooling: 'ceil' }, 17],
    [{ stem: 'cifar' }, 15],
    [{ stem: 'cifar', pooling: 'ceil' }, 8],
    [{ stem: 'cifar', version: '1.1' }, 15],
    [{ stem: 'cifar', version: '1.1', pooling: 'ceil' }, 8],
  ])('knows the smallest images it takes: %j', (options, size) => {
    const network = new SqueezeNet({ ...options, metaparameters: TINY });
    expect(network.smallestInput).toBe(size);
    expect(network.forward(zeros([1, 3, size, size])).shape).toEqual([1, 1000]);
    expect(() => network.forward(zeros([1, 3, size - 1, size]))).toThrow(ShapeError);
  });

  test('rounds pools up on request, which changes nothing where nothing is left over', () => {
    const logitsOf = (version: '1.0' | '1.1', size: number) =>
      (['floor', 'ceil'] as const).map((pooling) => {
        const generator = new Generator(1);
        const network = new SqueezeNet({ version, pooling, metaparameters: TINY, generator });
        return network.eval().forward(randn([1, 3, size, size], { generator })).data;
      });
    const [floor, ceil] = logitsOf('1.0', 64);
    expect(ceil).not.toEqual(floor);
    for (const [version, size] of [
      ['1.0', 227],
      ['1.1', 224],
    ] as const) {
      const [down, up] = logitsOf(version, size);
      expect(up).toEqual(down);
    }
  });

  test.each<[what: string, act: () => unknown, message: RegExp]>([
    [
      'images that shrink to nothing',
      () => new SqueezeNet({ metaparameters: TINY }).forward(zeros([1, 3, 32, 32])),
      /images of 32 × 32 shrink to nothing.*at least 35 × 35 or stem: 'cifar'/,
    ],
    [
      'other channels',
      () => new SqueezeNet({ metaparameters: TINY }).forward(zeros([1, 1, 64, 64])),
      /needs images \[N, 3, H, W\], got \[1, 1, 64, 64\]/,
    ],
    [
      'one image without a batch',
      () => new SqueezeNet({ metaparameters: TINY }).forward(zeros([3, 64, 64])),
      /needs images \[N, 3, H, W\], got \[3, 64, 64\]/,
    ],
  ])('refuses %s', (_, act, message) => {
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(message);
  });
});

describe('options', () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ version: '2.0' }, /version must be one of '1.0', '1.1', got '2.0'/],
    [{ bypass: 'all' }, /bypass must be one of 'none', 'simple', 'complex', got 'all'/],
    [{ stem: 'mnist' }, /stem must be one of 'imagenet', 'cifar', got 'mnist'/],
    [{ pooling: 'round' }, /pooling must be one of 'floor', 'ceil', got 'round'/],
    [{ numClasses: 0 }, /numClasses must be an integer ≥ 1, got 0/],
    [{ dropout: 1 }, /dropout must be in \[0, 1\), got 1/],
    [{ metaparameters: { squeezeRatio: 0.001 } }, /fire2 would have 0.128 squeeze channels/],
    [{ metaparameters: { frequency: 0 } }, /frequency must be an integer ≥ 1, got 0/],
  ])('%j is refused', (options, message) => {
    expect(() => new SqueezeNet(options as SqueezeNetOptions)).toThrow(ValueError);
    expect(() => new SqueezeNet(options as SqueezeNetOptions)).toThrow(message);
  });

  test('metaparameters give the channels of the paper', () => {
    expect(fireDimensions().map(({ squeeze }) => squeeze)).toEqual([
      16, 16, 32, 32, 48, 48, 64, 64,
    ]);
    expect(fireDimensions()[7]).toEqual({ squeeze: 64, expand1x1: 256, expand3x3: 256 });
    expect(fireDimensions({ pct3x3: 0.25, squeezeRatio: 0.75 })[2]).toEqual({
      squeeze: 192,
      expand1x1: 192,
      expand3x3: 64,
    });
  });
});
