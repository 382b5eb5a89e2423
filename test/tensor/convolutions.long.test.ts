import { setBackend, setThreads } from '@firelight/tensor';
import { afterAll, test } from 'vitest';
import {
  checkConvolutions,
  WASM_VARIANTS,
  WINOGRAD_VARIANTS,
} from '../helpers/convolution-parity.ts';

afterAll(() => setBackend('wasm'));

/** Four times the size of those of `convolutions.test.ts`, and others: 20,000 in all. */
const LIMITS = { seed: 20160224, budget: 400_000 };

test.each(WASM_VARIANTS)('5,000 random convolutions on wasm, $name', async (variant) => {
  const { threads, ...subject } = variant;
  setThreads(threads);
  const limits = { ...LIMITS, maxGroupChannels: 40, numRuns: 5000 };
  await checkConvolutions({ backend: 'wasm', ...subject }, limits);
});

test.each(WINOGRAD_VARIANTS)('2,500 random 3×3 convolutions on wasm, $name', async (variant) => {
  const { threads, ...subject } = variant;
  setThreads(threads);
  const limits = { ...LIMITS, maxGroupChannels: 128, isFor3x3: true, numRuns: 2500 };
  await checkConvolutions({ backend: 'wasm', ...subject }, limits);
});
