import {
  describeBackend,
  Generator,
  matmul,
  randn,
  relu,
  setBackend,
  sum,
  zeros,
} from '@firelight/tensor';
import { type Backend, NdArray, registerBackend } from '@firelight/tensor/extend';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';

// A backend as a user would write it: its own products of matrices, and the rest left to others.

interface OwnOptions {
  /** Called with the number of multiplications of each product. */
  readonly onProduct?: (multiplications: number) => void;
}

let onProduct: OwnOptions['onProduct'];

const own: Backend<OwnOptions> = {
  name: 'own',
  fallback: 'wasm',
  options: ['onProduct'],
  kernels: {
    matmul(a, b) {
      const [rows, inner] = a.shape.slice(-2);
      const columns = b.shape[1];
      const c = NdArray.zeros([rows, columns], 'float32');
      const [x, y, z] = [a.data, b.data, c.data];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let total = 0;
          for (let k = 0; k < inner; k++) total += x[i * inner + k] * y[k * columns + j];
          z[i * columns + j] = total;
        }
      }
      onProduct?.(rows * inner * columns);
      return c;
    },
  },
  declined: {
    matmul: [
      {
        calls: 'what is not float32',
        include: (a, b) => a.dtype !== 'float32' || b.dtype !== 'float32',
      },
      {
        calls: 'transposed operands',
        include: (_a, _b, transposed) => transposed.a || transposed.b,
      },
    ],
  },
  describe: (fallback) => `own: products in plain loops, the rest on '${fallback}'`,
  async start(options) {
    onProduct = options.onProduct;
  },
};

afterAll(() => setBackend('wasm'));

describe('a backend of the user’s own', () => {
  test('computes its kernels, leaves the rest to its fallback, and is described', async () => {
    const products: number[] = [];
    await setBackend(own, { onProduct: (count) => products.push(count) });
    const { name, summary, kernels } = describeBackend();
    expect(name).toBe('own');
    expect(summary).toBe("own: products in plain loops, the rest on 'wasm'");
    expect(kernels.matmul).toEqual({
      backend: 'own',
      reason: null,
      declined: [
        { calls: expect.any(String), backend: 'reference' },
        { calls: 'what is not float32', backend: 'wasm' },
        { calls: 'transposed operands', backend: 'wasm' },
      ],
    });
    expect(kernels.conv2d).toMatchObject({
      backend: 'wasm',
      reason: "'own' has no kernel for it",
    });
    const a = randn([2, 3], { generator: new Generator(1), requiresGrad: true });
    sum(relu(matmul(a, randn([3, 4], { generator: new Generator(2) })))).backward();
    expect(products).toEqual([2 * 3 * 4]); // The gradient's products are of transposed operands.
    expect(a.grad?.shape).toEqual([2, 3]);
    const before = products.length;
    matmul(zeros([2, 2], { dtype: 'float64' }), zeros([2, 2], { dtype: 'float64' }));
    expect(products).toHaveLength(before);
  });

  test('gives the same products as the reference', async () => {
    const sides = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(sides, sides, sides, fc.nat(), async (rows, inner, columns, seed) => {
        const generator = new Generator(seed);
        const a = randn([rows, inner], { generator });
        const b = randn([inner, columns], { generator });
        await setBackend('own');
        const found = matmul(a, b).data;
        await setBackend('reference');
        const expected = matmul(a, b).data;
        for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i], 4);
      }),
      { numRuns: 30 },
    );
  });

  test('is known by its name, and listed where a name is wrong', async () => {
    registerBackend(own); // Again: nothing happens.
    await setBackend('own');
    expect(describeBackend().name).toBe('own');
    await expect(setBackend('owen')).rejects.toThrow(
      "setBackend: there is no backend 'owen'; choose one of 'reference', 'wasm', 'gpu', 'own', 'auto'",
    );
    await expect(setBackend('own', { winograd: false })).rejects.toThrow(
      "setBackend: 'own' has no option 'winograd'; it has the options onProduct",
    );
    // @ts-expect-error: the options are those of the backend.
    await expect(setBackend(own, { onproduct: null })).rejects.toThrow(/no option 'onproduct'/);
  });

  test('is refused where it could not be found or called', () => {
    const like = (changes: Partial<Backend>): Backend => ({
      name: 'other',
      fallback: 'reference',
      kernels: {},
      describe: () => 'other',
      start: async () => {},
      ...changes,
    });
    for (const name of ['wasm', 'auto']) {
      expect(() => registerBackend(like({ name }))).toThrow(
        `registerBackend: the name '${name}' is taken; choose another one`,
      );
    }
    expect(() => registerBackend(like({ name: '' }))).toThrow(/the name '' is empty/);
    expect(() => registerBackend(like({ fallback: null }))).toThrow(
      /the fallback of 'other' must be one of 'reference', 'wasm', 'gpu', 'own', got null/,
    );
    expect(() => registerBackend(like({ fallback: 'other' }))).toThrow(/got 'other'/);
    const kernels = { matmult: () => NdArray.zeros([1], 'float32') } as Backend['kernels'];
    expect(() => registerBackend(like({ kernels }))).toThrow(
      "registerBackend: 'other' has a kernel 'matmult', which no operation calls",
    );
  });

  test('passes over a fallback that cannot run here', async () => {
    const broken: Backend = {
      name: 'broken',
      fallback: 'reference',
      kernels: {},
      whyNot: () => 'on purpose',
      describe: () => 'broken',
      start: async () => {},
    };
    registerBackend(broken);
    await setBackend({
      ...broken,
      name: 'above',
      fallback: 'broken',
      describe: (next) => `on ${next}`,
    });
    expect(describeBackend().summary).toBe('on reference');
  });
});
