import {
  type Dataset,
  defineTransform,
  type HasRecipe,
  type Image,
  Normalize,
  Resize,
  type ResizeOptions,
  type ResizeSize,
  type Transform,
} from '@firelight/data';
import { Linear, Model, Momentum, Sequential, SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import {
  type BackendOptions,
  mul,
  setBackend,
  type Tensor,
  type TensorLike,
  tensor,
  tidy,
} from '@firelight/tensor';
import { type Backend, defineOp, kernels, type NdArray } from '@firelight/tensor/extend';
import { describe, expect, expectTypeOf, test } from 'vitest';

/** What types promise, or refuse; `tsc -b` checks it, the bodies run besides. */

describe('defineOp', () => {
  const summed = defineOp<[NdArray, NdArray | null], { by: number }, number>('test: summed', {
    forward: ([x, offset], { by }) => ({
      y: kernels().binary('add', x, offset ?? x),
      saved: by,
    }),
    backward: (gradOut) => [gradOut, gradOut],
  });

  test('gives a function of tensors, null only where an array may be missing', () => {
    expectTypeOf(summed).parameters.toEqualTypeOf<
      [inputs: readonly [Tensor, Tensor | null], attributes: { by: number }]
    >();
    expectTypeOf(summed).returns.toEqualTypeOf<Tensor>();
    expect(summed([tensor([1, 2]), null], { by: 2 }).toArray()).toEqual([2, 4]);
    // @ts-expect-error The first array may not be missing.
    expect(() => summed([null, null], { by: 2 })).toThrow(TypeError);
  });

  test('wants a gradient, or the reason why there is none', () => {
    const forward = ([x]: [NdArray]) => ({ y: x, saved: null });
    // @ts-expect-error A gradient, or `backward: 'none'` with a reason.
    defineOp<[NdArray], null, null>('test: neither', { forward });
    // @ts-expect-error The reason is missing.
    defineOp<[NdArray], null, null>('test: no reason', { forward, backward: 'none' });
    defineOp<[NdArray], null, null>('test: a reason', { forward, backward: 'none', reason: 'no' });
  });
});

describe('setBackend', () => {
  test('takes the options of built-in backends by name, and of others those that they declare', () => {
    type ByName = (name: string, options?: BackendOptions) => Promise<void>;
    expectTypeOf(setBackend).toExtend<ByName>();
    const own = {} as Backend<{ readonly depth: number }>;
    const calls = () => [
      setBackend('wasm', { winograd: false }),
      setBackend(own, { depth: 3 }),
      // @ts-expect-error `reference` and its like know no depth.
      setBackend('reference', { depth: 3 }),
      // @ts-expect-error A backend of one's own takes its own options alone.
      setBackend(own, { winograd: false }),
    ];
    expect(calls).toBeTypeOf('function');
  });
});

describe('defineTransform', () => {
  const Shift = defineTransform('Shift', (by: number, { twice = false } = {}) => ({
    by,
    apply: (image: Image): Image => (twice ? image : image),
  }));

  test('gives a class with the arguments and members of what makes it', () => {
    expectTypeOf(Shift).constructorParameters.toEqualTypeOf<
      [by: number, options?: { twice?: boolean | undefined } | undefined]
    >();
    expectTypeOf(new Shift(1)).toExtend<Transform & HasRecipe & { readonly by: number }>();
    const shift = new Shift(1, { twice: true });
    // @ts-expect-error Members are read-only.
    shift.by = 2;
    // @ts-expect-error A text is no number.
    expect(new Shift('1').by).toBe('1');
  });

  test('keeps the types of our own', () => {
    expectTypeOf(Resize).constructorParameters.toEqualTypeOf<
      [size: ResizeSize, options?: ResizeOptions | undefined]
    >();
    expectTypeOf(new Normalize({ mean: [0], std: [1] }).inverse()).toEqualTypeOf<Normalize>();
    class Small extends Resize {
      constructor() {
        super(8);
      }
    }
    expectTypeOf(new Small().size).toEqualTypeOf<ResizeSize>();
    expect(new Small().size).toBe(8);
  });
});

test('tidy gives what its body gives', () => {
  expectTypeOf(tidy(() => ({ y: mul(2, 3), count: 1 }))).toEqualTypeOf<{
    y: Tensor;
    count: number;
  }>();
});

test('operands are tensors, numbers, lists and typed arrays', () => {
  expectTypeOf<number | boolean | number[][] | Float32Array | Tensor>().toExtend<TensorLike>();
  // @ts-expect-error A date is none.
  expect(() => mul(new Date(), 2)).toThrow(/mul: a must be a tensor/);
});

test('metrics are asked for by the names that there are', () => {
  const network = new Sequential([new Linear({ inFeatures: 2, outFeatures: 2 })]);
  const parts = {
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true }),
    optimizer: new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 }),
  };
  // @ts-expect-error There is no metric of this name.
  expect(() => new Model({ ...parts, metrics: ['acuracy'] })).toThrow(/acuracy/);
});

test('a data set may read at once or later', () => {
  expectTypeOf<{ length: number; get(index: number): Promise<never> }>().toExtend<Dataset>();
});
