import {
  BatchNorm2d,
  Conv2d,
  GlobalAvgPool2d,
  LeNet5,
  type Module,
  Momentum,
  ResNet,
  Sequential,
  SoftmaxCrossEntropyWithLogits,
  SqueezeNet,
  type StateDict,
} from '@firelight/nn';
import {
  exportNames,
  type IdentifiedNetwork,
  identifyNetwork,
  loadInto,
  mapNames,
  type OriginName,
  openCheckpoint,
} from '@firelight/nn/formats';
import {
  defaultGenerator,
  Generator,
  noGrad,
  ones,
  randn,
  softmax,
  tensor,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { encodeMindSpore } from '../../../packages/nn/src/formats/mindspore/encode.ts';
import photographs from '../../fixtures/deep-compression/expected.json' with { type: 'json' };
import { PHOTOGRAPHS, readPhotograph } from '../../helpers/photographs.ts';
import { sharedPath } from '../../helpers/shared.ts';

const small = { baseExpand: 16, expandIncrement: 8 };
const generator = new Generator(1);

describe('loadInto', () => {
  const file = (tensors: StateDict) => ({ file: 'x.pth', tensors, metadata: {}, isForeign: true });

  test('leaves what is excepted, such as a new head', () => {
    const old = new SqueezeNet({ metaparameters: small, numClasses: 3, generator });
    const network = new SqueezeNet({ metaparameters: small, numClasses: 2, generator });
    const head = network.stateDict()['final_conv.weight'].toArray();
    const tensors = exportNames(old, 'torchvision');
    expect(() => loadInto(network, file(tensors))).toThrow(
      /^x\.pth: tensor 'final_conv\.weight' is float32 \[3, 40, 1, 1\], expected float32 \[2, 40, 1, 1\]/,
    );
    const { origin, missing } = loadInto(network, file(tensors), { except: 'final_conv' });
    expect([origin.name, origin.options, origin.preprocessing, missing]).toEqual([
      'torchvision',
      { pooling: 'ceil' },
      null,
      [],
    ]);
    const loaded = network.stateDict();
    expect(loaded['final_conv.weight'].toArray()).toEqual(head);
    expect(loaded['features.12.squeeze.weight'].toArray()).toEqual(
      tensors['features.12.squeeze.weight'].toArray(),
    );
    expect(() => loadInto(network, file(tensors), { except: 'head' })).toThrow(
      "loadInto: there is no 'head'; near are ",
    );
  });

  test('tells of options with which the network was trained, and which it lacks', () => {
    const options = { metaparameters: small, numClasses: 2, generator };
    const tensors = exportNames(new SqueezeNet(options), 'caffe');
    expect(loadInto(new SqueezeNet({ ...options, pooling: 'ceil' }), file(tensors)).notes).toEqual(
      [],
    );
    expect(loadInto(new SqueezeNet(options), file(tensors)).notes).toEqual([
      "caffe has pooling: 'ceil' and this network 'floor', so it gives other outputs; create it with " +
        'origin.options',
    ]);
  });

  test('takes what an optimizer kept from where the file has it', () => {
    const network = new LeNet5({ generator });
    const optimizer = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
    const tensors = exportNames(network, 'pytorch');
    const state = Object.fromEntries(
      Object.entries(tensors).map(([name, { shape }]) => [`moments.${name}`, ones(shape)]),
    );
    const kept = { state, groups: [{ parameters: [], settings: { lr: 0.1 } }] };
    loadInto(network, { ...file(tensors), optimizer: kept }, { optimizer });
    expect(optimizer.stateDict(network)['moments.fc3.bias'].toArray()).toEqual(
      new Array(10).fill(1),
    );
    expect(optimizer.globalStep).toBe(0);
  });

  test('takes zeros for biases only where nothing else is missing', () => {
    const network = new LeNet5({ generator });
    const all = exportNames(network, 'pytorch');
    const { 'conv1.bias': _, 'conv2.bias': __, ...without } = all;
    expect(loadInto(network, file(without)).missing).toEqual([]);
    const { 'fc3.bias': ___, ...less } = without;
    expect(mapNames(network, less).missing).toEqual(['conv1.bias', 'conv2.bias', 'fc3.bias']);
  });

  test('needs every tensor unless it is told otherwise', () => {
    const network = new LeNet5({ generator });
    const { 'fc1.bias': _, ...tensors } = exportNames(new LeNet5({ generator }), 'pytorch');
    expect(() => loadInto(network, file(tensors))).toThrow(
      "x.pth: the names do not match those of LeNet5; missing: 'fc1.bias'; load with strict: false",
    );
    expect(loadInto(network, file(tensors), { strict: false }).missing).toEqual(['fc1.bias']);
  });

  test('tells SqueezeNets apart by their first weights, where names are the same', () => {
    const tensors = exportNames(new SqueezeNet({ generator }), 'caffe');
    const network = new SqueezeNet({ version: '1.1', generator });
    expect(() => loadInto(network, file(tensors))).toThrow(
      /^x\.pth: tensor 'features\.0\.weight' is .*\(the names and first weights are those of SqueezeNet\(\{ version: '1\.0' \}\)\)$/,
    );
  });
});

test("a norm's parts are found in networks that are not listed", () => {
  const network = new Sequential([new BatchNorm2d({ numFeatures: 2 })]);
  const gamma = tensor([2, 3]);
  const tensors = {
    '0.gamma': gamma,
    '0.beta': zeros([2]),
    '0.moving_mean': zeros([2]),
    '0.moving_variance': ones([2]),
  };
  const { origin } = loadInto(network, { file: 'x.ckpt', tensors, metadata: {} });
  expect(origin.name).toBe('mindspore');
  expect(network.stateDict()['0.weight'].toArray()).toEqual([2, 3]);
});

describe('identifyNetwork', () => {
  test.each<[label: string, create: () => Module, origin: OriginName]>([
    ["SqueezeNet({ version: '1.0' })", () => new SqueezeNet({ numClasses: 4, generator }), 'caffe'],
    [
      "SqueezeNet({ version: '1.1' })",
      () => new SqueezeNet({ version: '1.1', numClasses: 4, generator }),
      'gluon',
    ],
    ['ResNet({ depth: 20 })', () => new ResNet({ depth: 20, numClasses: 4, generator }), 'pytorch'],
    ['LeNet5()', () => new LeNet5({ numClasses: 4, inChannels: 3, generator }), 'mindspore'],
  ])('%s', (label, create, origin) => {
    const network = create();
    const tensors = exportNames(network, origin);
    const found = identifyNetwork({ tensors, origin });
    expect([found?.label, found?.origin.name]).toEqual([label, origin]);
    const again = found?.create() as Module;
    loadInto(again, { file: 'x', tensors, metadata: {}, isForeign: true });
    for (const name of [Object.keys(tensors)[0], Object.keys(tensors).at(-1) as string]) {
      const own = Object.entries(exportNames(again, origin)).find(([theirs]) => theirs === name);
      expect(own?.[1].data).toEqual(tensors[name].data);
    }
  });

  test('null for what is no network of ours', () => {
    expect(identifyNetwork({ tensors: { x: ones([1]) } })).toBeNull();
    expect(identifyNetwork({ tensors: {} })).toBeNull();
  });

  test('draws nothing from the generator that everybody shares', () => {
    const before = defaultGenerator.state();
    expect(identifyNetwork({ tensors: { 'conv1.weight': ones([1]) } })).toBeNull();
    expect(defaultGenerator.state()).toEqual(before);
  });
});

describe('a training goes on', () => {
  const create = (seed: number) => {
    const network = new Sequential([
      [
        'conv',
        new Conv2d({
          inChannels: 1,
          outChannels: 2,
          kernelSize: 3,
          generator: new Generator(seed),
        }),
      ],
      ['bn', new BatchNorm2d({ numFeatures: 2 })],
      ['pool', new GlobalAvgPool2d()],
    ]);
    const learningRate = [0.5, 0.4, 0.3, 0.2, 0.1, 0.05];
    const optimizer = new Momentum(network.parameters(), { learningRate, momentum: 0.9 });
    return { network, optimizer };
  };
  const x = randn([4, 1, 5, 5], { generator: new Generator(7) });
  const labels = tensor([0, 1, 1, 0], { dtype: 'int32' });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });

  function train({ network, optimizer }: ReturnType<typeof create>, steps: number): number[] {
    return Array.from({ length: steps }, () => {
      const loss = lossFn.forward(network.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  }

  /** What MindSpore saves of it: weights, then velocities, and how many steps were taken. */
  function saved({ network, optimizer }: ReturnType<typeof create>): Uint8Array {
    const tensors = exportNames(network, 'mindspore');
    const names = Object.entries(exportNames(network, 'mindspore'));
    const velocities = Object.entries(optimizer.stateDict(network)).map(([name, velocity]) => {
      const own = network.stateDict()[name.slice('moments.'.length)];
      const [theirs] = names.find(([, each]) => each.array === own.array) ?? [];
      return [`moments.${theirs}`, velocity];
    });
    const global_step = tensor([optimizer.globalStep], { dtype: 'int32' });
    return encodeMindSpore({
      tensors: { ...tensors, ...Object.fromEntries(velocities), global_step },
      metadata: {},
    });
  }

  test('from a checkpoint of MindSpore with the losses that it would have had', async () => {
    const first = create(1);
    train(first, 3);
    const bytes = saved(first);
    const expected = train(first, 3);
    const second = create(2);
    const checkpoint = await openCheckpoint(bytes);
    expect(Object.keys(checkpoint.tensors)).toContain('moments.bn.gamma');
    loadInto(second.network, checkpoint, { optimizer: second.optimizer });
    expect(second.optimizer.globalStep).toBe(3);
    expect(train(second, 3)).toEqual(expected);
  });

  test('needs what the optimizer kept, and a number of steps that can be', async () => {
    const { network, optimizer } = create(1);
    const checkpoint = await openCheckpoint(
      encodeMindSpore({ tensors: exportNames(network, 'mindspore'), metadata: {} }),
    );
    const before = network.stateDict()['conv.weight'].toArray();
    expect(() => loadInto(network, checkpoint, { optimizer })).toThrow(
      "Momentum: the state lacks 'moments.conv.weight'",
    );
    const tensors = {
      ...exportNames(network, 'mindspore'),
      global_step: tensor(-1, { dtype: 'int32' }),
    };
    const negative = await openCheckpoint(encodeMindSpore({ tensors, metadata: {} }));
    expect(() => loadInto(network, negative, { optimizer })).toThrow(
      'checkpoint: global_step is -1, no number of steps; leave out the optimizer',
    );
    expect(network.stateDict()['conv.weight'].toArray()).toEqual(before);
  });
});

const interop = sharedPath('interop');

describe.skipIf(interop === null)('real files (skipped without ../shared/interop)', () => {
  test("MindSpore's LeNet, whose convolutions have no bias, loads with what Momentum kept", async () => {
    const checkpoint = await openCheckpoint(`${interop}/mindarmour-lenet-10_1875.ckpt`);
    const network = new LeNet5({ activation: 'relu', pooling: 'max', generator });
    const optimizer = new Momentum(network.parameters(), { learningRate: 0.01, momentum: 0.9 });
    const { origin, missing, unused, notes } = loadInto(network, checkpoint, { optimizer });
    expect(origin).toMatchObject({
      name: 'mindspore',
      options: { activation: 'relu', pooling: 'max' },
      preprocessing: null,
    });
    expect([missing, unused]).toEqual([[], []]);
    expect(notes).toEqual([
      "convolutions there have no bias, so 'conv1.bias', 'conv2.bias' became zeros",
    ]);
    const kept = optimizer.stateDict(network);
    expect(kept['moments.fc3.weight'].toArray()).toEqual(
      checkpoint.tensors['moments.fc3.weight'].toArray(),
    );
    expect(kept['moments.conv1.bias'].toArray()).toEqual([0, 0, 0, 0, 0, 0]);
    expect(network.stateDict()['conv1.bias'].toArray()).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("the network of PyTorch's tutorial is a LeNet of three channels", async () => {
    const checkpoint = await openCheckpoint(`${interop}/captum-cifar_torchvision.pt`);
    const found = identifyNetwork(checkpoint) as IdentifiedNetwork;
    expect([found.label, found.origin.name]).toEqual(['LeNet5()', 'pytorch']);
    const network = found.create();
    expect(loadInto(network, checkpoint).notes).toEqual([]);
    expect(network.stateDict()['conv1.weight'].shape).toEqual([6, 3, 5, 5]);
    expect(network).toMatchObject({ activation: 'relu', pooling: 'max' });
  });

  test.skipIf(sharedPath('images') === null)(
    "Deep Compression's SqueezeNet sees the photographs right, with all that its origin implies",
    async () => {
      const checkpoint = await openCheckpoint(`${interop}/compressed_SqueezeNet.net`);
      const found = identifyNetwork(checkpoint);
      expect(found?.label).toBe("SqueezeNet({ version: '1.0' })");
      const network = (found as IdentifiedNetwork).create().eval();
      const { origin } = loadInto(network, checkpoint);
      expect(origin.preprocessing).toMatchObject({ inputSize: 227, channelOrder: 'BGR' });
      const { mean = [0, 0, 0], channelOrder } = origin.preprocessing ?? {};
      const order = channelOrder === 'BGR' ? (['blue', 'green', 'red'] as const) : [];
      for (const [name, classes] of Object.entries(PHOTOGRAPHS)) {
        const x = readPhotograph(
          name,
          order.map((from, c) => ({ from, scale: (byte) => byte - mean[c] })),
        );
        const { data } = noGrad(() => softmax(network.forward(x)));
        expect(classes, name).toContain(data.indexOf(Math.max(...data)));
        for (const { class: label, probability } of photographs[name as keyof typeof photographs]) {
          expect(Math.abs(data[label] - probability), name).toBeLessThan(2e-5);
        }
      }
    },
    60_000,
  );
});
