import { describe, expect, test } from 'vitest';
import {
  float32,
  float64,
  signed,
  unsigned,
} from '../../../../packages/tensor/src/backend/wasm/assembler/encoding.ts';
import { defineFunction } from '../../../../packages/tensor/src/backend/wasm/assembler/function.ts';
import { loadF32x4 } from '../../../../packages/tensor/src/backend/wasm/assembler/loads.ts';
import { assembleModule } from '../../../../packages/tensor/src/backend/wasm/assembler/module.ts';
import { i32, loadI32 } from '../../../../packages/tensor/src/backend/wasm/assembler/scalars.ts';
import { splat } from '../../../../packages/tensor/src/backend/wasm/assembler/vectors.ts';
import { supportsRelaxedSimd } from '../../../../packages/tensor/src/backend/wasm/runtime/engine.ts';

const MEMORY = { initial: 1, maximum: 1 };

describe('encodings', () => {
  // The examples of Wikipedia's article on LEB128, and borders of seven bits.
  test.each([
    [0, [0x00]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624485, [0xe5, 0x8e, 0x26]],
    [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('unsigned %i', (value, bytes) => {
    expect(unsigned(value)).toEqual(bytes);
  });

  test.each([
    [0, [0x00]],
    [-1, [0x7f]],
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [-64, [0x40]],
    [-65, [0xbf, 0x7f]],
    [-123456, [0xc0, 0xbb, 0x78]],
    [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
  ])('signed %i', (value, bytes) => {
    expect(signed(value)).toEqual(bytes);
  });

  test('float32', () => {
    expect(float32(-2)).toEqual([0x00, 0x00, 0x00, 0xc0]);
  });

  test('float64', () => {
    expect(float64(-2)).toEqual([0, 0, 0, 0, 0, 0, 0, 0xc0]);
  });
});

function bytesOf(f: ReturnType<typeof defineFunction>): Uint8Array<ArrayBuffer> {
  const features = { fma: false, lanes: 4 } as const;
  return assembleModule({ features, memory: MEMORY, exports: [f] });
}

/** Assembles `f` alone, runs it on a memory of int32 and gives back that memory. */
function runOn(words: readonly number[], f: ReturnType<typeof defineFunction>): Int32Array {
  const memory = new WebAssembly.Memory({ ...MEMORY, shared: true });
  const view = new Int32Array(memory.buffer);
  view.set(words);
  const bytes = bytesOf(f);
  expect(WebAssembly.validate(bytes)).toBe(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  (exports[f.name] as () => void)();
  return view;
}

describe('functions', () => {
  test('loops, conditions and calls', () => {
    const addAt = defineFunction('addAt', { address: 'i32', amount: 'i32' }, (f, p) => {
      f.store(p.address, loadI32(p.address).plus(p.amount));
    });
    // Sums the odd numbers below 10 into word 0, and counts down word 1 to 3.
    const main = defineFunction('main', {}, (f) => {
      f.for(0, 10, 1, (i) => {
        f.if(i.and(1), () => f.call(addAt, { address: i32(0), amount: i }));
      });
      f.block((done) => {
        f.doWhile(() => {
          f.call(addAt, { address: 4, amount: -1 });
          done.breakIf(loadI32(i32(4)).equals(3));
        }, i32(1));
      });
    });
    expect([...runOn([0, 9], main).slice(0, 2)]).toEqual([25, 3]);
  });

  test('a loop whose condition fails at once does not run', () => {
    const main = defineFunction('main', {}, (f) => {
      f.for(5, 5, 1, () => f.store(i32(0), i32(1)));
      f.while(loadI32(i32(0)), () => f.store(i32(0), i32(2)));
    });
    expect(runOn([0], main)[0]).toBe(0);
  });

  test('vectors', () => {
    const main = defineFunction('main', {}, (f) => {
      const x = f.f32x4(loadF32x4(i32(0)).plus(splat(0.5)));
      f.store(i32(16), x.shuffle(x, [3, 2, 1, 0]));
      f.store(i32(32), f.multiplyAdd(x, x, splat(1)));
    });
    const input = new Int32Array(new Float32Array([1, 2, 3, 4]).buffer);
    const result = new Float32Array(runOn([...input], main).slice(4, 12).buffer);
    expect([...result]).toEqual([4.5, 3.5, 2.5, 1.5, 3.25, 7.25, 13.25, 21.25]);
  });

  test('have their names in stack traces, also those that are not exported', () => {
    const storeOutside = defineFunction('storeOutside', {}, (f) => {
      f.store(i32(-4), i32(1));
    });
    const main = defineFunction('main', {}, (f) => f.call(storeOutside, {}));
    let stack = '';
    try {
      runOn([], main);
    } catch (error) {
      stack = (error as Error).stack ?? '';
    }
    expect(stack).toMatch(/storeOutside.*main/s);
  });

  test('a constant is made once, ahead of the code that asks for it', () => {
    const makeSplats = (count: number) =>
      defineFunction('main', {}, (f) => {
        const { splat, splatInt } = f.constants;
        f.for(0, 3, 1, (i) => {
          const x = f.f32x4(loadF32x4(i32(0)));
          for (let n = 0; n < count; n++) x.set(x.plus(splat(0.5)));
          f.store(i32(0), x);
          f.store(i.times(16).plus(16), splatInt(-258));
        });
      });
    const view = runOn([], makeSplats(2));
    expect([...new Float32Array(view.buffer, 0, 4)]).toEqual([3, 3, 3, 3]);
    expect([...view.slice(4, 17)]).toEqual([...Array.from({ length: 12 }, () => -258), 0]);
    const sizes = [1, 2].map((count) => bytesOf(makeSplats(count)).length);
    expect(sizes[1] - sizes[0]).toBeLessThan(16); // A vector's own bytes.
  });
});

test('the engine has relaxed SIMD, which Node 20 must be asked for', () => {
  expect(supportsRelaxedSimd()).toBe(true);
});
