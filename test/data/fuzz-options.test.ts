import {
  batches,
  CenterCrop,
  Cifar10,
  Cifar100,
  ColorJitter,
  Compose,
  CutMix,
  Cutout,
  type Dataset,
  decodeImage,
  downloadCifar10,
  findCifar10,
  findFashionMnist,
  HWC2CHW,
  ImageFolder,
  Mixup,
  Normalize,
  OneHot,
  parseCifar100Binary,
  parseCifarBinary,
  parseCifarPython,
  RandAugment,
  RandomCrop,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  Rescale,
  Resize,
  readImage,
  syntheticCifar10,
} from '@firelight/data';
import { FirelightError, Generator } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** What a caller without types, or with a file of settings, can pass in the place of anything. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    Number.NaN,
    Infinity,
    -1,
    0,
    1.5,
    2 ** 33,
    2 ** 60,
    '',
    '4',
    'x',
    true,
    false,
    10n,
  ),
  fc.constantFrom<unknown>([], [1], ['a', 'b'], [null, undefined], [1, 2, 3, 4, 5], [[1], [2]]),
  fc.constantFrom<unknown>({}, { length: 3 }, { apply: 1 }, new Date(0)),
  fc.constantFrom<unknown>(() => 1, new Map(), new Uint8Array(3), Promise.resolve(1)),
);

/** An object some of whose options are junk, or junk itself. */
const junkOptions = (...names: readonly string[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    junk,
    fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), junk), { minLength: 1, maxLength: 2 })
      .map((entries) => Object.fromEntries(entries)),
  );

const batchOptions = [
  'transform',
  'batchTransforms',
  'batchSize',
  'shuffle',
  'repeat',
  'dropRemainder',
  'generator',
  'workers',
  'createWorker',
  'prefetch',
];

const ready: Dataset = {
  length: 3,
  get: (index) => ({
    image: { data: Uint8Array.of(1), height: 1, width: 1, channels: 1, layout: 'CHW' },
    label: index,
  }),
};
const bytes = syntheticCifar10({ count: 2, seed: 1 });

/** Takes one batch, as a loop would. */
async function first(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source) break;
}

const pixels = { data: new Uint8Array(12), height: 2, width: 2, channels: 3, layout: 'HWC' };
const stepOptions = ['fill', 'holes', 'padding', 'interpolation', 'scale', 'ratio', 'operations'];
const colorOptions = ['brightness', 'contrast', 'saturation', 'hue', 'magnitude', 'bins'];
const anyOptions = junkOptions(
  ...stepOptions,
  ...colorOptions,
  'alpha',
  'smoothing',
  'mean',
  'std',
);
const size = fc.oneof(junk, fc.constant(2));

/** Everything that takes arguments, with what it is called with and what is then done with it. */
const doors: Record<string, [fc.Arbitrary<unknown>[], (...args: never[]) => unknown]> = {
  batches: [
    [fc.oneof(junk, fc.constant(ready)), junkOptions(...batchOptions)],
    (dataset: never, options: never) => first(batches(dataset, options)),
  ],
  'batches.from': [[junk], (batch: never) => first(batches(ready).from(batch))],
  'the length of a data set': [[junk], (length: never) => first(batches({ ...ready, length }))],
  'samples of a data set': [
    [fc.oneof(junk, fc.record({ image: fc.oneof(junk, fc.constant(pixels)), label: junk }))],
    (sample: never) => first(batches({ length: 1, get: () => sample })),
  ],
  'images of a data set': [
    [junkOptions(...Object.keys(pixels))],
    (change: object) => {
      const image = { ...pixels, layout: 'CHW', ...change } as never;
      return first(batches({ length: 1, get: () => ({ image, label: 0 }) }));
    },
  ],
  'images of transforms': [
    [fc.constantFrom(...images()), junkOptions(...Object.keys(pixels))],
    (step: { apply(...args: unknown[]): unknown }, change: object) =>
      step.apply(
        typeof change === 'object' && change !== null ? { ...pixels, ...change } : change,
        new Generator(0),
      ),
  ],
  Cifar10: [
    [junkOptions('path', 'records', 'split', 'limit', 'download', ...batchOptions)],
    (options: never) => new Cifar10(options),
  ],
  Cifar100: [
    [junkOptions('path', 'records', 'split', 'limit', 'labels', ...batchOptions)],
    (options: never) => new Cifar100(options),
  ],
  'Cifar10.fromBytes': [
    [fc.oneof(junk, fc.constant(bytes)), junkOptions('split', 'limit', ...batchOptions)],
    (files: never, options: never) => first(Cifar10.fromBytes(files, options)),
  ],
  'Cifar10.get': [[junk], (index: never) => Cifar10.fromBytes(bytes).get(index)],
  ImageFolder: [
    [junk, junk, junkOptions('maxBytes')],
    (names: never, files: never, options: never) => new ImageFolder(names, files, options),
  ],
  'ImageFolder.open': [
    [junk, junkOptions('maxBytes')],
    (path: never, options: never) => ImageFolder.open(path, options),
  ],
  'ImageFolder.get': [[junk], (index: never) => new ImageFolder([], []).get(index)],
  readImage: [
    [junk, junkOptions('maxBytes')],
    (path: never, options: never) => readImage(path, options),
  ],
  decodeImage: [
    [junk, junkOptions('maxBytes', 'source')],
    (file: never, options: never) => decodeImage(file, options),
  ],
  parseCifarBinary: [[junk, junkOptions('source')], parseCifarBinary],
  parseCifar100Binary: [[junk, junkOptions('source')], parseCifar100Binary],
  parseCifarPython: [[junk, junkOptions('source')], parseCifarPython],
  syntheticCifar10: [[junkOptions('count', 'seed')], syntheticCifar10],
  findCifar10: [[junkOptions('explicit', 'env', 'candidates')], findCifar10],
  findFashionMnist: [[junkOptions('explicit', 'env', 'candidates')], findFashionMnist],
  downloadCifar10: [
    [
      fc.constantFrom<unknown>(undefined, null, 5, [], {}),
      junkOptions('form', 'urls', 'md5', 'onProgress', 'timeoutMs', 'retries', 'retryDelayMs'),
    ],
    downloadCifar10,
  ],
  Resize: [[size, anyOptions], (...args: never[]) => new Resize(...(args as [never]))],
  CenterCrop: [[size], (value: never) => new CenterCrop(value)],
  RandomCrop: [[size, anyOptions], (...args: never[]) => new RandomCrop(...(args as [never]))],
  RandomResizedCrop: [
    [size, anyOptions],
    (...args: never[]) => new RandomResizedCrop(...(args as [never])),
  ],
  RandomHorizontalFlip: [[junk], (value: never) => new RandomHorizontalFlip(value)],
  RandomRotation: [
    [size, anyOptions],
    (...args: never[]) => new RandomRotation(...(args as [never])),
  ],
  ColorJitter: [[junkOptions(...colorOptions)], (options: never) => new ColorJitter(options)],
  RandAugment: [[anyOptions], (options: never) => new RandAugment(options)],
  Cutout: [[size, anyOptions], (...args: never[]) => new Cutout(...(args as [never]))],
  Rescale: [[size, junk], (scale: never, shift: never) => new Rescale(scale, shift)],
  Normalize: [[junkOptions('mean', 'std')], (options: never) => new Normalize(options)],
  Compose: [[junk], (steps: never) => new Compose(steps)],
  OneHot: [[size, anyOptions], (...args: never[]) => new OneHot(...(args as [never]))],
  Mixup: [[junkOptions('alpha')], (options: never) => new Mixup(options)],
  CutMix: [[junkOptions('alpha')], (options: never) => new CutMix(options)],
};

/** One transform of each kind. */
function images() {
  return [
    new Resize(3),
    new CenterCrop(1),
    new RandomCrop(1),
    new RandomResizedCrop(2),
    new RandomHorizontalFlip(1),
    new RandomRotation(10),
    new ColorJitter({ brightness: 0.1 }),
    new RandAugment(),
    new Cutout(1),
    new Rescale(1, 0),
    new Normalize({ mean: [1, 1, 1], std: [1, 1, 1] }),
    new HWC2CHW(),
  ];
}

test.each(Object.entries(doors))(
  '%s takes what is right and refuses all else by name',
  async (_, [parts, call]) => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.tuple(...parts), async (args) => {
        try {
          await call(...(args as never[]));
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(FirelightError);
          expect((error as Error).message).toMatch(/^[^\n]{10,300}$/);
          expect((error as Error).message).not.toMatch(/TypeError|undefined \(|is not a function/);
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(20);
  },
  120_000,
);

const oneImage = (change: object) =>
  batches({
    length: 1,
    get: () => ({ image: { ...pixels, layout: 'CHW' }, label: 0, ...change }) as never,
  });

test.each<[call: () => unknown, message: string]>([
  [() => batches(5 as never), 'batches: dataset must be an object with length and get, got 5'],
  [() => batches(ready, null as never), 'batches: options must be an object, got null'],
  [
    () => batches(ready, { batchSize: '4' as never }),
    "batches: batchSize must be an integer ≥ 1, got '4'",
  ],
  [
    () => batches(ready, { batchSize: Number.NaN }),
    'batches: batchSize must be an integer ≥ 1, got NaN',
  ],
  [
    () => batches(ready, { shuffle: 'yes' as never }),
    "batches: shuffle must be true or false, got 'yes'",
  ],
  [
    () => batches(ready, { generator: 7 as never }),
    'batches: generator must be a Generator, got 7',
  ],
  [
    () => batches(ready, { transform: {} as never }),
    'batches: transform must be a transform or a function, got an object',
  ],
  [
    () => batches(ready, { batchTransforms: [1] as never }),
    'batches: batchTransforms must be a list of transforms, got [1]',
  ],
  [() => batches(ready, { workers: 999 }), 'batches: workers must be at most 256, got 999'],
  [
    () => first(batches({ ...ready, length: 2 ** 40 })),
    'batches: length of the data set must be at most 2147483647, got 1099511627776',
  ],
  [
    () => first(oneImage({ label: 1.5 })),
    'batches: image 0: label must be an integer of 32 bits, got 1.5',
  ],
  [
    () => first(oneImage({ image: { ...pixels, data: [1, 2] } })),
    'batches: image 0: batches: an image must have data in a Uint8Array or Float32Array, and ' +
      "layout 'HWC' or 'CHW'",
  ],
  [() => new Cifar10({ path: 5 as never }), 'Cifar10: path must be a string, got 5'],
  [
    () => new Cifar10({ records: ['a'] as never }),
    "Cifar10: records must be a list of CifarRecords, got ['a']",
  ],
  [
    () => new Cifar100({ path: '.', labels: 'rough' as never }),
    "Cifar100: labels must be 'fine' or 'coarse', got 'rough'",
  ],
  [
    () => Cifar10.fromBytes('text' as never),
    "Cifar10.fromBytes: files must be bytes or a list of them, got 'text'",
  ],
  [
    () => parseCifarBinary(null as never),
    'parseCifarBinary: bytes must be a Uint8Array or an ArrayBuffer, got null',
  ],
  [
    () => downloadCifar10('data', { form: 'pyhton' as never }),
    "download: form must be 'binary' or 'python', got 'pyhton'",
  ],
  [
    () => new RandomCrop(2, { padding: [1, 2, 3] as never }),
    'RandomCrop: padding must be an integer ≥ 0, or a list of two or four, got [1, 2, 3]',
  ],
  [() => new Cutout(2, { fill: 'x' as never }), "Cutout: fill must be a finite number, got 'x'"],
  [
    () => new ColorJitter({ hue: '0.1' as never }),
    "ColorJitter: hue must be a number ≥ 0 or [low, high] within -0.5 to 0.5, got '0.1'",
  ],
  [
    () => new Normalize({ mean: 'abc', std: [1] } as never),
    "Normalize: mean must be a list of numbers, got 'abc'",
  ],
  [() => new Mixup({ alpha: '1' as never }), "Mixup: alpha must be finite and above 0, got '1'"],
])('wrong argument %# is called by its name', async (call, message) => {
  const attempt = (async () => call())();
  await expect(attempt).rejects.toThrow(FirelightError);
  await expect(attempt).rejects.toThrow(message);
});
