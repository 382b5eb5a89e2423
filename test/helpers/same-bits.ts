import { type ReadonlyTypedArray, setBackend, setThreads } from '@firelight/tensor';
import { expect } from 'vitest';
import { bitsOf } from './bits.ts';

const VARIANTS = [
  { threads: 1, wideVectors: false },
  { threads: 1, wideVectors: true },
  { threads: 3, wideVectors: true },
];

/** Expects the same bits of wasm with one thread and several, four lanes and eight; leaves it with one thread. */
export async function expectSameBits(evaluate: () => readonly ReadonlyTypedArray[]): Promise<void> {
  const results: Int32Array[][] = [];
  for (const { threads, wideVectors } of VARIANTS) {
    await setBackend('wasm', { wideVectors });
    await setThreads(threads);
    results.push(evaluate().map(bitsOf));
  }
  await setThreads(1);
  const [expected, ...others] = results;
  for (const actual of others) {
    expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    // `toEqual` takes half a minute for large arrays.
    const wrong = actual.map((bits, i) => bits.findIndex((word, at) => word !== expected[i][at]));
    expect(wrong).toEqual(wrong.map(() => -1));
  }
}
