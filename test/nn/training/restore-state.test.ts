import {
  BatchNorm2d,
  type Callback,
  type Checkpoint,
  CheckpointError,
  Dropout,
  decodeCheckpoint,
  EarlyStopping,
  encodeCheckpoint,
  Flatten,
  Linear,
  ModelCheckpoint,
  Momentum,
  Sequential,
  WeightAverage,
} from '@firelight/nn';
import { Generator, ones, type Tensor, tensor, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { restoreState } from '../../../packages/nn/src/training/restore-state.ts';
import {
  captureState,
  type Position,
  type TrainingParts,
} from '../../../packages/nn/src/training/training-state.ts';
import { type Json, jsonMutantsOf } from '../../helpers/json-mutations.ts';
import { oneTensor } from '../../helpers/safetensors-bytes.ts';

const LIMITS = { accumulationSteps: 4, stepsPerEpoch: 7 };
const FILE = 'run/Net-2_1.safetensors';

/** A training with one of everything that is saved. */
function createParts(seed: number): TrainingParts {
  const generator = new Generator(seed);
  const network = new Sequential([
    new BatchNorm2d({ numFeatures: 1 }),
    new Flatten(),
    new Dropout({ generator }),
    new Linear({ inFeatures: 2, outFeatures: 2, generator }),
  ]);
  const optimizer = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
  const dataOf = (own: Generator) => Object.assign([], { generator: own, batchesPerEpoch: 7 });
  for (const parameter of network.parameters()) parameter.grad = ones(parameter.shape);
  optimizer.step();
  const stopping = new EarlyStopping();
  stopping.restore({ best: seed / 4, waited: seed });
  const saving = new ModelCheckpoint({ directory: '/nowhere', prefix: 'Net' });
  saving.restore({ prefix: `Net_${seed}`, lastSaved: seed, best: seed / 8 });
  return {
    network,
    optimizer,
    average: new WeightAverage(network, { decay: 0.5 }),
    data: dataOf(new Generator(seed + 1)),
    validation: dataOf(new Generator(seed + 2)),
    callbacks: [stopping, saving],
  };
}

const positionOf = ({ data }: TrainingParts): Position => ({
  epoch: 2,
  step: 1,
  globalStep: 8,
  loss: 0.5,
  learningRate: 0.1,
  data: {
    begin: new Generator(99).state(),
    now: data.generator?.state() ?? null,
    batch: 1,
  },
  gathered: [6, 4],
});

/** All that a training consists of, as text. */
function contentsOf(parts: TrainingParts, position = positionOf(parts)): string {
  const { tensors, metadata } = captureState(parts, position);
  const numbers = Object.entries(tensors).map(([name, { array }]) => [name, [...array.data]]);
  const gradients = parts.network.parameters().map(({ grad }) => grad && [...grad.array.data]);
  return JSON.stringify([numbers, gradients, metadata]);
}

let parts: TrainingParts;
let saved: Checkpoint;
beforeEach(async () => {
  const source = createParts(1);
  const bytes = await encodeCheckpoint(captureState(source, positionOf(source)));
  saved = await decodeCheckpoint(bytes, FILE);
  parts = createParts(50);
});

/** The checkpoint with other metadata. */
const withMetadata = (metadata: Record<string, unknown>): Checkpoint => ({
  ...saved,
  metadata: { ...saved.metadata, ...metadata } as Record<string, string>,
});

/** The checkpoint with something else in the JSON of its training. */
const withTraining = (change: (training: Record<string, never>) => unknown): Checkpoint => {
  const training = JSON.parse(saved.metadata.training);
  return withMetadata({ training: JSON.stringify(change(training) ?? training) });
};

/** Expects the error, and that nothing is changed. */
function expectRefused(checkpoint: Checkpoint, message: RegExp | string): void {
  const before = contentsOf(parts);
  const act = () => restoreState(parts, checkpoint, LIMITS);
  expect(act).toThrow(CheckpointError);
  expect(act).toThrow(message);
  expect(contentsOf(parts)).toBe(before);
}

test('what was saved is all there again', () => {
  const position = restoreState(parts, saved, LIMITS);
  expect(position).toEqual({ ...positionOf(createParts(1)), data: position.data });
  const source = createParts(1);
  expect(contentsOf(parts, position)).toBe(contentsOf(source));
});

describe('numbers that cannot be', () => {
  const cases: [name: string, value: string, message: RegExp][] = [
    ['epoch', 'NaN', /epoch must be an integer from 1 to 2147483647 in digits, got 'NaN'/],
    ['epoch', '-5', /epoch must be .* got '-5'/],
    ['epoch', '1e308', /epoch must be .* got '1e308'/],
    ['epoch', '0', /epoch must be an integer from 1 to 2147483647, got 0/],
    ['epoch', '9999999999', /got 9999999999/],
    ['epoch', `${'9'.repeat(1e6)}`, /got '9{40}…'/],
    ['step', '1.5', /step must be .* got '1.5'/],
    ['step', '8', /it was saved after step 8 of an epoch, which has 7 now/],
    ['globalStep', '0', /step 1 of epoch 2 cannot be step 0 of all/],
    ['globalStep', ' 8', /globalStep must be/],
    ['training', '{"data"', /the state of the training is no JSON/],
    ['training', 'null', /training must be an object, got null/],
    ['training', '[]', /training must be an object, got a list of 0/],
  ];
  test.each(cases)('%s %o', (name, value, message) => {
    expectRefused(withMetadata({ [name]: value }), message);
  });

  test('one that is missing', () => {
    expectRefused(withMetadata({ step: undefined }), /step must be .*, got nothing/);
  });
});

describe('states that cannot be', () => {
  const set = (path: string, value: unknown) => {
    const names = path.split('.');
    return (training: Record<string, never>): void => {
      const holder = names.slice(0, -1).reduce((inner, name) => inner[name], training);
      (holder as Record<string, unknown>)[names.at(-1) as string] = value;
    };
  };
  const cases: [path: string, value: unknown, message: RegExp][] = [
    [
      'data',
      { key: [1, 2], counter: [1, 2, 3] },
      /training\.data\.counter must be a list of 4, got/,
    ],
    [
      'data',
      { key: [1, -2], counter: [0, 0, 0, 0] },
      /data\.key\[1\] must be an integer from 0 to/,
    ],
    ['dataNow', 'x', /training\.dataNow must be an object, got 'x'/],
    ['batch', -1, /training\.batch must be an integer from 0 to/],
    ['batch', 8, /it was saved after batch 8 of the data set, which has 7 now/],
    ['loss', 'x', /training\.loss must be a finite number, got 'x'/],
    ['validation', 'x', /training\.validation must be an object, got 'x'/],
    ['accumulated', 4, /training\.accumulated must be an integer from 0 to 3, got 4/],
    ['accumulated', -1, /training\.accumulated must be/],
    ['batchSizes', [6], /training\.batchSizes must be a list of 2, got a list of 1/],
    ['batchSizes', [6, 0], /training\.batchSizes\[1\] must be an integer from 1 to/],
    ['batchSizes', 'x', /training\.batchSizes must be a list of 2, got 'x'/],
    ['generators', null, /training\.generators must be an object, got null/],
    ['generators.2', null, /training\.generators\.'2' must be an object, got null/],
    ['generators', {}, /the state of the generator of module '2' is missing/],
    ['callbacks', [], /training\.callbacks must be an object/],
    ['callbacks.EarlyStopping', null, /EarlyStopping must be an object, got null/],
    ['callbacks.EarlyStopping.best', 'x', /EarlyStopping\.best must be a finite number, got 'x'/],
    ['callbacks.EarlyStopping.waited', 1.5, /EarlyStopping\.waited must be an integer/],
    ['callbacks.ModelCheckpoint.lastSaved', null, /ModelCheckpoint\.lastSaved must be/],
    ['callbacks.ModelCheckpoint.best', [], /ModelCheckpoint\.best must be .*, got a list of 0/],
  ];
  test.each(cases)('%s of %o', (path, value, message) => {
    expectRefused(withTraining(set(path, value)), message);
  });

  const names = [
    ...['../../../out/evil', '/etc/evil', 'C:\\evil', 'C:evil', 'a\\b', 'a/b', '..', '.', '', '.a'],
    ...['a\u0000b', 'a\nb', '\u001b[2J', 'NUL', 'con', 'LPT1.x', 'a*', 'x'.repeat(101), '\ud800'],
  ];
  test.each(names)('a prefix %o, which is no part of a file name', (prefix) => {
    const change = set('callbacks.ModelCheckpoint.prefix', prefix);
    expectRefused(withTraining(change), /ModelCheckpoint\.prefix must be part of a file name/);
    expect(() => new ModelCheckpoint({ prefix })).toThrow(/prefix must be part of a file name/);
  });

  test('a prefix of others leaves their files alone', () => {
    const change = set('callbacks.ModelCheckpoint.prefix', 'Other');
    restoreState(parts, withTraining(change), LIMITS);
    const [, saving] = parts.callbacks;
    expect(saving.state?.()).toMatchObject({ prefix: 'Net' });
    const own = set('callbacks.ModelCheckpoint.prefix', 'Net_12');
    restoreState(parts, withTraining(own), LIMITS);
    expect(saving.state?.()).toMatchObject({ prefix: 'Net_12' });
  });

  test('one that a callback of the user refuses gives the others theirs back', () => {
    const picky: Callback = {
      name: 'picky',
      state: () => 0,
      restore: () => {
        throw new ValueError('picky: no');
      },
    };
    parts = { ...parts, callbacks: [...parts.callbacks, picky] };
    expectRefused(
      withTraining(set('callbacks.picky', 1)),
      `${FILE}: does not fit this training: picky: no; resume with the same network`,
    );
  });
});

describe('tensors that do not fit', () => {
  const withTensors = (tensors: Record<string, Tensor | undefined>): Checkpoint => {
    const all = Object.entries({ ...saved.tensors, ...tensors });
    return {
      ...saved,
      tensors: Object.fromEntries(
        all.filter((entry): entry is [string, Tensor] => entry[1] !== undefined),
      ),
    };
  };
  const cases: [name: string, value: Tensor | undefined, message: RegExp][] = [
    ['3.weight', ones([2, 3]), /tensor '3\.weight' is float32 \[2, 3\], expected/],
    ['0.running_var', undefined, /names do not match .*missing: '0\.running_var'/],
    [
      'moments.3.weight',
      ones([4]),
      /'moments\.3\.weight' is float32 \[4\], expected float32 \[2, 2\]/,
    ],
    ['moments.3.weight', undefined, /the state lacks 'moments\.3\.weight'/],
    ['without_average.3.bias', undefined, /'without_average\.3\.bias' is missing/],
    [
      'without_average.3.bias',
      ones([3]),
      /'without_average\.3\.bias' is float32 \[3\], expected float32 \[2\]/,
    ],
    ['gradient.3.bias', ones([3]), /'gradient\.3\.bias' is float32 \[3\], expected float32 \[2\]/],
    ['gradient.3.bias', tensor([1, 2], { dtype: 'int32' }), /is int32 \[2\], expected float32/],
    ['global_step', undefined, /global_step must be .*, got nothing/],
    ['global_step', tensor([0.5]), /global_step must be .*, got 0\.5/],
    ['global_step', tensor([Number.NaN]), /global_step must be .*, got NaN/],
  ];
  test.each(cases)('%s', (name, value, message) => {
    expectRefused(withTensors({ [name]: value }), message);
  });

  test('one that cannot be decoded', async () => {
    const huge = oneTensor('I64', BigInt64Array.of(2n ** 62n + 1n));
    const { tensors } = await decodeCheckpoint(huge, FILE);
    const bad = Object.defineProperty({ ...saved.tensors }, 'without_average.3.bias', {
      enumerable: true,
      get: () => tensors.x,
    });
    expectRefused({ ...saved, tensors: bad }, /element 0 of tensor 'x' is 4611686018427387905/);
  });
});

describe('of another program', () => {
  test('a file gives no training', () => {
    expectRefused(
      { ...saved, isForeign: true },
      `${FILE}: was written anew by another program, so its training cannot go on exactly; start a ` +
        'new training from it with loadParamIntoNet',
    );
  });
});

/** What is left of a state when it was read and written again. */
function meaningOf(state: Json, before: Json): unknown {
  type Fields = { readonly [name: string]: Fields };
  const { epoch, step, globalStep, training } = state as unknown as Fields;
  const generator = (found: Fields | null) => found && { key: found.key, counter: found.counter };
  const { EarlyStopping: stopping, ModelCheckpoint: saving } = (before as unknown as Fields)
    .training.callbacks;
  const own = (name: string): boolean => Object.hasOwn(training.callbacks, name);
  const { best, waited } = own('EarlyStopping') ? training.callbacks.EarlyStopping : stopping;
  const kept = own('ModelCheckpoint') ? training.callbacks.ModelCheckpoint : saving;
  const isOurs = /^Net(_\d{1,9})?$/.test(String(kept.prefix));
  return {
    numbers: [Number(epoch), Number(step), Number(globalStep)],
    // Files of the first version tell neither the last two of these, nor the last step.
    data: [
      generator(training.data),
      generator(training.dataNow ?? null),
      training.batch ?? Number(step),
    ],
    last: [training.loss ?? null, training.learningRate ?? null],
    validation: generator(training.validation),
    accumulated: training.accumulated,
    // Files of older versions do not tell, so it may be missing.
    batchSizes: training.batchSizes ?? new Array(Number(training.accumulated)).fill(null),
    generators: { 2: generator(training.generators[2]) },
    callbacks: {
      EarlyStopping: { best, waited },
      ModelCheckpoint: {
        prefix: isOurs ? kept.prefix : 'Net',
        lastSaved: kept.lastSaved,
        best: kept.best,
      },
    },
  };
}

test('3000 changed states are either read with their meaning, or refused with nothing changed', () => {
  const stateOf = ({ epoch, step, globalStep, training }: Checkpoint['metadata']) =>
    ({ epoch, step, globalStep, training: JSON.parse(training) }) as { [name: string]: Json };
  let [read, refused] = [0, 0];
  fc.assert(
    fc.property(jsonMutantsOf(stateOf(saved.metadata)), (mutant) => {
      const { training, ...others } = mutant as { [name: string]: Json };
      const text = training === undefined ? undefined : JSON.stringify(training);
      const { metadata } = captureState(parts, positionOf(parts));
      const before = contentsOf(parts);
      const checkpoint = { ...saved, metadata: { ...others, training: text } } as Checkpoint;
      let position: Position;
      try {
        position = restoreState(parts, checkpoint, LIMITS);
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(CheckpointError);
        expect((error as Error).message).toMatch(/^run\/Net-2_1\.safetensors: [ -~…≥]{10,600}$/);
        expect(contentsOf(parts)).toBe(before);
        return;
      }
      read++;
      const now = stateOf(captureState(parts, position).metadata);
      // A data set that had no state when it was saved keeps its own.
      // As the file says it: JSON has no −0.
      const kept = JSON.parse(text as string) as { validation: Json };
      kept.validation ??= (stateOf(metadata).training as { validation: Json }).validation;
      const state = { ...others, training: kept } as Json;
      expect(meaningOf(now, now)).toEqual(meaningOf(state, stateOf(metadata)));
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(read, refused)).toBeGreaterThan(50);
}, 60_000);
