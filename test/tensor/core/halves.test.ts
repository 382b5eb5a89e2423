import { createHash } from 'node:crypto';
import { cast, setBackend, Tensor, tensor } from '@firelight/tensor';
import { NdArray } from '@firelight/tensor/extend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS, numberOf, roundedTo } from '../../helpers/halves.ts';

type HalfDType = keyof typeof FORMATS;

const ofBits = (bits: Uint16Array, dtype: HalfDType): Tensor =>
  new Tensor(NdArray.fromTypedArray(bits, [bits.length], dtype));

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** The digests of PyTorch, and NumPy for float16; see test/fixtures/half-floats/make.py. */
const WRITTEN = {
  float16: 'fbb15b544964881833a8fc634275eaa6868b29cca591413ba3aa933dc5f7a6a9',
  bfloat16: 'a8926330c7d47eb2083bde29affc8bd8df02c20f5a2b017ea321fc2a0ceee5a7',
};

/** Numbers between neighbours, at the middle and beside it, of both formats. */
function numbersBetween(): Float32Array {
  const lows = [
    0, 1, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001, 0x7fff, 0x8000, 0x8001, 0xffff,
  ];
  const words = Uint32Array.from({ length: 65536 * lows.length }, (_, i) => {
    return Math.floor(i / lows.length) * 65536 + lows[i % lows.length];
  });
  return new Float32Array(words.buffer);
}

describe.each(Object.keys(FORMATS) as HalfDType[])('%s', (dtype) => {
  const format = FORMATS[dtype];
  const written = (values: readonly number[]): Uint16Array =>
    tensor(Float64Array.from(values), { dtype }).array.data as Uint16Array;

  test('reads all 65,536 numbers', () => {
    const x = ofBits(all, dtype);
    const values = x.data;
    const list = x.toArray() as number[];
    const asFloat64 = cast(x, 'float64').data;
    for (const bits of all) {
      const expected = numberOf(bits, format);
      if (!Object.is(values[bits], expected))
        expect([bits, values[bits]]).toEqual([bits, expected]);
      if (!Object.is(list[bits], expected)) expect([bits, list[bits]]).toEqual([bits, expected]);
      if (!Object.is(asFloat64[bits], expected))
        expect([bits, asFloat64[bits]]).toEqual([bits, expected]);
    }
    expect(ofBits(all.slice(3, 4), dtype).item()).toBe(numberOf(3, format));
  });

  test.each(['reference', 'wasm'])('comes back from float32 bit for bit on %s', async (backend) => {
    await setBackend(backend);
    const back = cast(cast(ofBits(all, dtype), 'float32'), dtype);
    expect(back.dtype).toBe(dtype);
    expect(back.array.data).toEqual(all);
  });

  test('comes back from its numbers', () => {
    const back = tensor(ofBits(all, dtype).data, { dtype }).array.data;
    for (const bits of all) {
      const value = numberOf(bits, format);
      if (Number.isNaN(value)) expect(numberOf(back[bits], format)).toBeNaN();
      else if (back[bits] !== bits) expect([bits, back[bits]]).toEqual([bits, bits]);
    }
  });

  test('rounds between all neighbours to the nearest, of two the even one', () => {
    const positive = Array.from(all.subarray(0, 0x7fff), (bits) => numberOf(bits, format));
    const finite = positive.filter(Number.isFinite);
    const last = finite.length - 1;
    const beyond = 2 * finite[last] - finite[last - 1];
    const near = finite.flatMap((below, bits) => {
      const above = bits < last ? finite[bits + 1] : beyond;
      const middle = (below + above) / 2;
      // Float64 has numbers beside the middle that float32 takes for it.
      return [middle, middle * (1 - 2 ** -40), middle * (1 + 2 ** -40)].map((value, i) => {
        const isUp = i === 2 || (i === 0 && bits % 2 === 1);
        return { value, expected: isUp ? bits + 1 : bits };
      });
    });
    const up = written(near.map(({ value }) => value));
    const down = written(near.map(({ value }) => -value));
    near.forEach(({ value, expected }, i) => {
      if (up[i] !== expected) expect([value, up[i]]).toEqual([value, expected]);
      if (down[i] !== 0x8000 + expected)
        expect([-value, down[i]]).toEqual([-value, 0x8000 + expected]);
    });
    expect(near).toHaveLength(3 * finite.length);
  });

  test('rounds any number as by definition', () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true }),
      fc.float({ noNaN: true }),
      fc.double({ min: -7e4, max: 7e4, noNaN: true }),
      fc.double({ min: -1e-4, max: 1e-4, noNaN: true }),
      fc.integer(),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        expect(tensor(value, { dtype }).item()).toBe(roundedTo(value, format));
      }),
    );
  });

  test('writes numbers between neighbours as others do', () => {
    const halves = cast(tensor(numbersBetween(), { copy: false }), dtype).array.data.slice();
    const nan = dtype === 'float16' ? 0x7e00 : 0x7fc0;
    const same = halves.map((bits) => (Number.isNaN(numberOf(bits, format)) ? nan : bits));
    expect(createHash('sha256').update(same).digest('hex')).toBe(WRITTEN[dtype]);
  });

  test('keeps what NaN carries, and never makes it an infinity', () => {
    const words = Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000, 0xffffe000, 0x7f802000);
    const back = cast(tensor(new Float32Array(words.buffer), { copy: false }), dtype);
    expect(back.data.every(Number.isNaN)).toBe(true);
    expect(tensor(Number.NaN, { dtype }).item()).toBeNaN();
  });
});
