import * as firelight from '@firelight/tensor';
import { DTypeError, FirelightError, ReleasedError, Tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExampleCall } from './example-call.ts';
import { argumentAt, EXAMPLE_CALLS, invoke, withArgument } from './op-calls.ts';

/** Exported functions that take no tensors, or are no operations. */
const OTHERS = [
  'asTensor',
  'defineOp',
  'describeBackend',
  'formatShape',
  'gradCheck',
  'isGradEnabled',
  'listOps',
  'memory',
  'noGrad',
  'printable',
  'printablePath',
  'quote',
  'quoteSome',
  'describeValue',
  'setBackend',
  'setThreads',
  'systemReason',
  'tidy',
  'windowCount',
  // Of functions, not of tensors.
  'checkpointed',
  'grad',
  'gradients',
];

/** Operations whose optional operand may be left out. */
const DEFAULT_TO_NULL = new Set([
  'conv1d',
  'conv2d',
  'convTranspose1d',
  'convTranspose2d',
  'layerNorm',
  'groupNorm',
  'instanceNorm',
  'rmsNorm',
  'scaledDotProductAttention',
]);

const calls = EXAMPLE_CALLS.map((call, i) => ({ ...call, title: `${call.name} (${i})` }));

test('every exported operation has an example call', () => {
  const functions = Object.entries(firelight)
    .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
    .map(([name]) => name);
  const known = new Set([...OTHERS, ...EXAMPLE_CALLS.map(({ name }) => name)]);
  expect(functions.filter((name) => !known.has(name))).toEqual([]);
});

/** A tensor of another copy of the package, whose module is evaluated a second time. */
const path = '../../../packages/tensor/src/autograd/tensor.ts?second';
const second = (await import(path)) as { Tensor: typeof Tensor };
const foreign = new second.Tensor(firelight.ones([2]).array);

describe('what is no tensor and no data is refused by name', () => {
  const garbage: readonly [what: string, value: unknown, message: RegExp][] = [
    ['undefined', undefined, /got undefined$/],
    ['null', null, /got null$/],
    ['a string', '3', /got '3'$/],
    ['a Promise', Promise.resolve(firelight.ones([2])), /got a Promise; await it first$/],
    ['an object', { data: [1] }, /got an object$/],
    ['a function', () => 1, /got a function$/],
    ['a symbol', Symbol('s'), /got Symbol\(s\)$/],
    ['a date', new Date(0), /got an object of class Date$/],
    ['a Map', new Map(), /got an object of class Map$/],
    [
      'an ArrayBuffer',
      new ArrayBuffer(8),
      /of class ArrayBuffer; wrap it in a typed array, such as/,
    ],
    ['a DataView', new DataView(new ArrayBuffer(8)), /of class DataView; wrap it in a typed array/],
    ['a tensor of another copy', foreign, /of class \w+, a tensor of .* a second copy of .*npm ls/],
  ];

  test.each(calls)('$title', (call) => {
    for (const { at, name, isOptional = false } of call.tensors) {
      for (const [, value, message] of garbage) {
        if (
          isOptional &&
          (value === null || (value === undefined && DEFAULT_TO_NULL.has(call.name)))
        )
          continue;
        const act = () => invoke(call, withArgument(call.args(), at, value));
        expect(act, `${name}: ${String(value)}`).toThrow(DTypeError);
        expect(act).toThrow(message);
        expect(act).toThrow(`${call.name}: ${name} must be `);
      }
    }
  });

  test.each(calls)('$title: inside an array', (call) => {
    for (const { at, name, isTarget = false } of call.tensors) {
      if (isTarget || name === 'tensors') continue;
      const act = () => invoke(call, withArgument(call.args(), at, [[1, '2']]));
      expect(act).toThrow(DTypeError);
      expect(act).toThrow(`${call.name}: elements of ${name} must be numbers or booleans, got '2'`);
    }
  });
});

/** Rows as typed arrays, inside nested arrays. */
function typedRows(x: Tensor): unknown {
  if (x.rank <= 1) return x.rank === 0 ? x.item() : x.data;
  return Array.from({ length: x.shape[0] }, (_, i) =>
    typedRows(firelight.reshape(firelight.slice(x, [[i, i + 1]]), x.shape.slice(1))),
  );
}

function outcome(call: ExampleCall, args: readonly unknown[]): unknown {
  const result = invoke(call, args);
  // In-place operations give nothing back; what they wrote is in their first argument.
  const y = result ?? args[0];
  // Some give several.
  const tensors = y instanceof Tensor ? [y] : Object.values(y as Record<string, Tensor>);
  return tensors.map(({ dtype, shape, data }) => ({ dtype, shape, data: Array.from(data) }));
}

describe('arrays and typed arrays stand for tensors', () => {
  test.each(calls)('$title', (call) => {
    const args = call.args();
    const expected = outcome(call, args);
    for (const { at, name, isTarget = false } of call.tensors) {
      const operand = argumentAt(call.args(), at);
      if (isTarget || !(operand instanceof Tensor)) continue;
      // A typed array of bytes is uint8, never bool.
      const forms = operand.dtype === 'bool' ? [] : [typedRows(operand)];
      for (const form of [operand.toArray(), ...forms]) {
        expect(outcome(call, withArgument(call.args(), at, form)), name).toEqual(expected);
      }
    }
  });
});

/** All paths into the arguments, down to the options. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  const isInner =
    Array.isArray(value) || (value !== null && Object.getPrototypeOf(value) === Object.prototype);
  if (!isInner) return [[...path]];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value as object);
  const inner = keys.flatMap((key) =>
    pathsOf((value as Record<string | number, unknown>)[key], [...path, key]),
  );
  return path.length === 0 ? inner : [[...path], ...inner];
}

function released(): Tensor {
  const x = firelight.ones([2, 3]);
  x.dispose();
  return x;
}

// Sizes that could be allocated, but only slowly, are left out.
const integers = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(2 ** 40, 2 ** 53));
const scalars = fc.oneof(
  integers,
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1.5, -0, undefined, null, true, '', '2'),
  fc.constantFrom<unknown>(
    'float16',
    'same',
    5n,
    Symbol('s'),
    () => 1,
    new Date(0),
    Promise.resolve(1),
  ),
);
const nonsense = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 4 }),
  fc.array(fc.array(scalars, { maxLength: 3 }), { maxLength: 3 }),
  fc.sparseArray(scalars, { maxNumElements: 3, maxLength: 4 }),
  fc.dictionary(fc.constantFrom('dtype', 'shape', 'p', 'then', 'constructor', 'length'), scalars),
  fc.constantFrom<unknown>(new Float32Array(2), new BigInt64Array(1), new Map()),
  fc.constantFrom(
    firelight.ones([2]),
    firelight.tensor(true),
    firelight.arange(3),
    firelight.ones([1, 2, 3, 3], { dtype: 'float64' }),
    released(),
  ),
);

const otherTensors = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
    fc.constantFrom(...firelight.DTYPES),
  )
  .map(([shape, dtype]) => firelight.zeros(shape, { dtype }));

/** Runs a call with some arguments changed: an error is ours, and begins with the operation's name. */
function tryChanged(
  call: ExampleCall,
  changes: readonly (readonly [path: readonly (string | number)[], value: unknown])[],
): void {
  const args = changes.reduce(
    (changed, [path, value]) => withArgument(changed, path, value),
    call.args(),
  );
  try {
    invoke(call, args);
  } catch (error) {
    if (!(error instanceof FirelightError)) throw error;
    // Of a tensor without elements there is nothing to say but when it was given back.
    if (error instanceof ReleasedError) return;
    expect(error.message.split(': ')[0]).toBe(call.name);
  }
}

describe('nonsense in any argument gives a FirelightError of the operation or a result', () => {
  test.each(calls)('$title', (call) => {
    const paths = pathsOf(call.args());
    const changes = fc.array(fc.tuple(fc.constantFrom(...paths), nonsense), {
      minLength: 1,
      maxLength: 2,
    });
    fc.assert(
      fc.property(changes, (changed) => tryChanged(call, changed)),
      { numRuns: 200, seed: 20161104 },
    );
  });
});

describe('tensors of any shape and dtype give a FirelightError of the operation or a result', () => {
  test.each(calls.filter(({ tensors }) => tensors.length > 0))('$title', (call) => {
    const places = call.tensors.filter(({ name }) => name !== 'tensors').map(({ at }) => at);
    const changes = fc.array(fc.tuple(fc.constantFrom(...places), otherTensors), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(changes, (changed) => tryChanged(call, changed)),
      { numRuns: 60, seed: 20161104 },
    );
  });
});
