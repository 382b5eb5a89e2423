import { setBackend } from '@firelight/tensor';
import { afterAll, describe } from 'vitest';
import { describeDevice } from './device-suite.ts';

// The kernels themselves, in the modes of gpu.js that run everywhere. Real devices: browser/,
// headless-gl/ and webgpu/.

afterAll(() => setBackend('wasm'));

describe.each(['webasm', 'cpu'] as const)('gpu.js in mode %s', (mode) => {
  describeDevice({ mode }, { numRuns: 25, timeout: 120_000 });
});
