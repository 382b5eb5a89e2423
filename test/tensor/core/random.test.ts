import { Generator, rand, randn, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { philox4x32 } from '../../../packages/tensor/src/core/random.ts';

type Words4 = [number, number, number, number];

const average = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe('Philox4x32-10', () => {
  // Random123, tests/kat_vectors, lines "philox4x32 10".
  test.each<[key: [number, number], counter: Words4, expected: Words4]>([
    [
      [0, 0],
      [0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('with key %j and counter %j', (key, counter, expected) => {
    const words = new Uint32Array(4);
    philox4x32(key, counter, words);
    expect([...words]).toEqual(expected);
  });
});

describe('Generator', () => {
  test('counts through all four words', () => {
    const before = Generator.fromState({ key: [1, 2], counter: [0xffffffff, 0xffffffff, 5, 0] });
    before.words(1);
    expect(before.state().counter).toEqual([0, 0, 6, 0]);
  });

  test('takes whole blocks: one draw is the head of a longer one', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 40 }), (seed, count) => {
        const long = new Generator(seed).words(64);
        const generator = new Generator(seed);
        expect(generator.words(count)).toEqual(long.subarray(0, count));
        const next = Math.ceil(count / 4) * 4;
        expect(generator.words(8)).toEqual(long.subarray(next, next + 8));
      }),
    );
  });

  test('goes on exactly where a saved state (through JSON) was taken', () => {
    const generator = new Generator(42);
    generator.normal(7);
    const saved = JSON.parse(JSON.stringify(generator.state()));
    const expected = [generator.uniform(5), generator.permutation(9)];
    const resumed = Generator.fromState(saved);
    expect([resumed.uniform(5), resumed.permutation(9)]).toEqual(expected);
  });

  test('splits into streams that differ from each other and from later splits', () => {
    const generator = new Generator(3);
    const streams = [...generator.split(3), ...generator.split(2), generator];
    const heads = streams.map((stream) => stream.words(4).join());
    expect(new Set(heads).size).toBe(heads.length);
    const [again] = new Generator(3).split(3);
    expect(again.words(4).join()).toBe(heads[0]);
  });

  test('uses all 53 bits of the seed', () => {
    const heads = [1, 2 ** 32 + 1, 2 ** 53 - 1].map((seed) => new Generator(seed).words(2).join());
    expect(new Set(heads).size).toBe(3);
  });

  test('uniform and normal numbers have the moments of their distributions', () => {
    const uniform = new Generator(1).uniform(100_000, { low: -1, high: 3 });
    expect(Math.min(...uniform.subarray(0, 1000))).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...uniform.subarray(0, 1000))).toBeLessThan(3);
    expect(average(uniform)).toBeCloseTo(1, 1);
    const normal = new Generator(2).normal(100_000, { mean: 2, std: 3 });
    expect(average(normal)).toBeCloseTo(2, 1);
    expect(average(normal.map((x) => (x - 2) ** 2))).toBeCloseTo(9, 0);
    expect(average(normal.map((x) => ((x - 2) / 3) ** 4))).toBeCloseTo(3, 0);
  });

  test('integer is uniform, also for bounds that do not divide 2^32', () => {
    const counts = new Array<number>(7).fill(0);
    const generator = new Generator(4);
    for (let i = 0; i < 14_000; i++) counts[generator.integer(7)]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
    expect(generator.integer(1)).toBe(0);
    expect(generator.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test('permutation holds each number once, and every order occurs', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 50 }), (seed, count) => {
        const order = new Generator(seed).permutation(count);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from(order, (_, i) => i));
      }),
    );
    const generator = new Generator(5);
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = generator.permutation(3).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('bernoulli gives ones at the asked rate', () => {
    expect(average(new Generator(6).bernoulli(50_000, 0.3))).toBeCloseTo(0.3, 2);
    expect(average(new Generator(6).bernoulli(100, 0))).toBe(0);
    expect(average(new Generator(6).bernoulli(100, 1))).toBe(1);
  });

  test.each<[() => unknown, RegExp]>([
    [() => new Generator(-1), /seed must be an integer in \[0, 2\^53\), got -1/],
    [() => new Generator(0.5), /got 0.5/],
    [() => new Generator(0).words(-1), /count must be an integer in \[0, 2147483647\], got -1/],
    [() => new Generator(0).integer(0), /bound must be an integer in \[1, 2\^32\], got 0/],
    [() => new Generator(0).bernoulli(1, 2), /probability must be in \[0, 1\], got 2/],
    [
      () => Generator.fromState({ key: [0, 0], counter: [0, 0, 0, -1] }),
      /state must be \{key: \[2 words\], counter: \[4 words\]\}/,
    ],
  ])('refuses bad arguments: %s', (call, message) => {
    expect(call).toThrow(ValueError);
    expect(call).toThrow(message);
  });
});

describe('random tensors', () => {
  test('of uniform numbers stay below 1 in float32', () => {
    expect(Math.max(...rand([100_000], { generator: new Generator(0) }).data)).toBeLessThan(1);
    const uniform = new Generator(0).uniform(1000);
    expect(Array.from(Float32Array.from(uniform))).toEqual(Array.from(uniform));
  });

  test('repeat for the same seed', () => {
    const draw = () => randn([2, 3], { generator: new Generator(9) }).data;
    expect(draw()).toEqual(draw());
    const uniform = rand([1000], { generator: new Generator(9), dtype: 'float64' });
    expect(uniform.dtype).toBe('float64');
    expect(average(uniform.data)).toBeCloseTo(0.5, 1);
  });
});
