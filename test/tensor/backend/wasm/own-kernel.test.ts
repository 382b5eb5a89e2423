import {
  add,
  BackendError,
  Generator,
  gradCheck,
  randn,
  setBackend,
  setThreads,
  sum,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { defineKernel, defineOp, NdArray } from '@firelight/tensor/extend';
import { chunks, defineTask, forVectors, inFrame } from '@firelight/tensor/extend/wasm';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { bitsOf } from '../../../helpers/bits.ts';

// An operation with kernels as a user would write them: softsign, y = x / (1 + |x|), dy/dx = (1 − |y|)².

type Version = 'reference' | 'wasm';
/** Which versions ran, in order. */
let ran: Version[] = [];

function plain(arrays: readonly NdArray[], f: (...values: number[]) => number): NdArray {
  ran.push('reference');
  const [{ shape, dtype, data }] = arrays;
  const y = NdArray.zeros(shape, dtype);
  data.forEach((_, i) => {
    y.data[i] = f(...arrays.map((array) => array.data[i]));
  });
  return y;
}

const softsignTask = defineTask(
  'softsign',
  { x: 'address', y: 'address', count: 'i32' },
  (f, { x, y, count }, { index }) => {
    const value = f.floats();
    const one = f.constants.splat(1);
    forVectors(f, count, index, [x, y], () => {
      value.set(f.load(x));
      f.store(y, value.dividedBy(value.abs().plus(one)));
    });
  },
);

const gradTask = defineTask(
  'softsignGrad',
  { y: 'address', gradOut: 'address', gradIn: 'address', count: 'i32' },
  (f, { y, gradOut, gradIn, count }, { index }) => {
    const rest = f.floats();
    const one = f.constants.splat(1);
    forVectors(f, count, index, [y, gradOut, gradIn], () => {
      rest.set(one.minus(f.load(y).abs()));
      f.store(gradIn, f.load(gradOut).times(rest.times(rest)));
    });
  },
);

const softsignKernel = defineKernel({
  reference: (x: NdArray) => plain([x], (value) => value / (1 + Math.abs(value))),
  wasm: (x: NdArray) =>
    inFrame((frame) => {
      ran.push('wasm');
      const { array, address } = frame.output(x.shape);
      const values = { x: frame.input(x), y: address, count: x.size };
      frame.run(softsignTask, chunks(x.size), values);
      return array;
    }),
});

const gradKernel = defineKernel({
  reference: (y: NdArray, gradOut: NdArray) =>
    plain([y, gradOut], (y, gradient) => gradient * (1 - Math.abs(y)) ** 2),
  wasm: (y: NdArray, gradOut: NdArray) =>
    inFrame((frame) => {
      ran.push('wasm');
      const gradIn = frame.output(y.shape);
      frame.run(gradTask, chunks(y.size), {
        y: frame.input(y),
        gradOut: frame.input(gradOut),
        gradIn: gradIn.address,
        count: y.size,
      });
      return gradIn.array;
    }),
});

const softsignOp = defineOp('softsign', {
  forward([x]: readonly [NdArray], _: null) {
    const y = softsignKernel(x);
    return { y, saved: { y } };
  },
  backward: (gradOut, { y }) => [gradKernel(y, gradOut)],
});
const softsign = (x: Tensor): Tensor => softsignOp([x], null);

/** y and dy/dx in float32. */
function outcome(values: Float32Array): readonly [y: Float32Array, gradient: Float32Array] {
  const x = tensor(values, { requiresGrad: true });
  const y = softsign(x);
  sum(y).backward();
  return [y.data as Float32Array, x.grad?.data as Float32Array];
}

beforeEach(() => {
  ran = [];
});
afterAll(() => setBackend('wasm'));

describe('an operation with kernels of its own', () => {
  test('gives on wasm what it gives on reference, for every length', async () => {
    const lengths = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
      minLength: 1,
      maxLength: 50,
    });
    await fc.assert(
      fc.asyncProperty(lengths, async (list) => {
        const values = Float32Array.from(list);
        ran = [];
        await setBackend('wasm');
        const onWasm = outcome(values);
        await setBackend('reference');
        const onReference = outcome(values);
        expect(ran).toEqual(['wasm', 'wasm', 'reference', 'reference']);
        onReference.forEach((expected, which) => {
          expected.forEach((value, i) => {
            expect(onWasm[which][i]).toBeCloseTo(value, 6);
          });
        });
      }),
    );
    await setBackend('wasm');
    expect(Array.from(outcome(Float32Array.of(-3, 0, 1))[0])).toEqual([-0.75, 0, 0.5]);
  });

  test('gives the same bits with any number of threads and lanes', async () => {
    const values = randn([100_003], { generator: new Generator(3) }).data as Float32Array;
    const all: string[] = [];
    for (const wideVectors of [true, false]) {
      await setBackend('wasm', { wideVectors });
      for (const threads of [1, 2]) {
        setThreads(threads);
        all.push(
          outcome(values)
            .map((data) => String(bitsOf(data)))
            .join('|'),
        );
      }
    }
    expect(ran).not.toContain('reference');
    expect(new Set(all).size).toBe(1);
  });

  test('has its gradient checked', async () => {
    await setBackend('wasm');
    expect(
      gradCheck(softsign, [
        tensor([
          [-3, -0.5],
          [0.25, 2],
        ]),
      ]),
    ).toBeLessThan(1e-6);
  });

  test('leaves other dtypes, and arrays without elements, to reference', async () => {
    await setBackend('wasm');
    expect(softsign(tensor([3], { dtype: 'float64' })).toArray()).toEqual([0.75]);
    expect(softsign(tensor([], { shape: [0, 2] })).shape).toEqual([0, 2]);
    expect(ran).toEqual(['reference', 'reference']);
  });

  test('gets int32 arrays on wasm where it is indexed, and bytes only on reference', async () => {
    await setBackend('wasm');
    const versions = { reference: (_: NdArray) => 'reference', wasm: (_: NdArray) => 'wasm' };
    const [plainKernel, indexed] = [
      defineKernel(versions),
      defineKernel(versions, { indexed: true }),
    ];
    const places = NdArray.zeros([1], 'int32');
    expect([plainKernel(places), indexed(places)]).toEqual(['reference', 'wasm']);
    expect(indexed(NdArray.zeros([1], 'uint8'))).toBe('reference');
    expect(indexed(NdArray.zeros([0], 'int32'))).toBe('reference');
  });
});

describe('a kernel that is defined wrongly is refused', () => {
  test('without its definition', () => {
    const versions = { wasm: () => 1 } as never;
    expect(() => defineKernel(versions)).toThrow(BackendError);
    expect(() => defineKernel(versions)).toThrow(
      "defineKernel: there must be a version for 'reference', the definition of the kernel, got undefined",
    );
  });

  test('with other options', () => {
    const versions = { reference: () => 1 };
    expect(() => defineKernel(versions, { index: true } as never)).toThrow(
      /defineKernel: there is no option 'index'/,
    );
    expect(() => defineKernel(versions, { indexed: 1 as never })).toThrow(
      /defineKernel: indexed must be true or false, got 1/,
    );
  });

  test('for a backend that is not there', () => {
    const kernel = defineKernel({ reference: () => 1, wsam: () => 2 });
    expect(() => kernel()).toThrow(
      "defineKernel: there is no backend 'wsam'; the versions are for 'reference', 'wasm', 'gpu', or " +
        'for one of your own after registerBackend',
    );
  });
});

test('a kernel can be defined after others have run', async () => {
  await setBackend('wasm');
  add([1], [2]);
  const lateTask = defineTask('late', { y: 'address' }, (f, { y }) => f.store(y, f.f32(1)));
  const late = defineKernel({
    reference: (x: NdArray) => x,
    wasm: (x: NdArray) =>
      inFrame((frame) => {
        const { array, address } = frame.output(x.shape);
        frame.run(lateTask, 1, { y: address });
        return array;
      }),
  });
  expect(late(tensor([3]).array).data[0]).toBe(1);
});
