import { setBackend } from '@firelight/tensor';
import { afterAll, describe, test } from 'vitest';
import expected from '../../fixtures/torch-calls/expected.json' with { type: 'json' };
import { expectAsTorch, type TorchCall } from '../../helpers/torch-calls.ts';

// Random calls, made by test/fixtures/torch-calls/make.py, of which `npm run test:long` makes others.

const calls = expected as readonly TorchCall[];

afterAll(() => setBackend('wasm'));

describe.each([
  ['reference', 'float64'],
  ['wasm', 'float32'],
] as const)('on %s in %s, results and gradients are those of PyTorch', (backend, dtype) => {
  test.each(calls.map((call, i) => ({ call, title: `${call.op} (${i})` })))('$title', ({ call }) =>
    expectAsTorch(call, backend, dtype),
  );
});
