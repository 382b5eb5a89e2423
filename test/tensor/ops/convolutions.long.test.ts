import { describeBackend, setBackend, setThreads } from '@firelight/tensor';
import { afterAll, expect, test } from 'vitest';
import {
  checkConvolutions,
  WASM_VARIANTS,
  WINOGRAD_VARIANTS,
} from '../../helpers/convolution-parity.ts';

afterAll(() => setBackend('wasm'));

/**
 * Four times the size of those of `convolutions.test.ts`, and others: 20,000 with the widest vectors of
 * this machine, and 7,500 with 128-bit ones.
 */
const LIMITS = { seed: 20160224, budget: 400_000 };

test('these run on 256-bit vectors where Node has them', async ({ skip }) => {
  skip(Number.parseInt(process.versions.node, 10) < 24, 'needs Node.js ≥ 24');
  await setBackend('wasm');
  expect(describeBackend().summary).toContain('256-bit vectors,');
});

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
