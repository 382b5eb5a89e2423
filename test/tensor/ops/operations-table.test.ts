import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setBackend, Tensor, tidy } from '@firelight/tensor';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Runtime } from '../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import torchCalls from '../../fixtures/torch-calls/expected.json' with { type: 'json' };
import { ROOT } from '../../helpers/run-example.ts';
import type { ExampleCall } from './example-call.ts';
import { argumentAt, EXAMPLE_CALLS, invoke, withArgument } from './op-calls.ts';

// The table of operations in the README says which have gradients, and which compute on wasm.

const readme = readFileSync(join(ROOT, 'packages/tensor/README.md'), 'utf8');
const table = readme.slice(
  readme.indexOf('| Firelight |'),
  readme.indexOf('\n\n', readme.indexOf('| Firelight |')),
);

/** Name, PyTorch's, gradient and wasm of each row. */
const rows = table
  .split('\n')
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map((cells) => ({
    name: cells[1].replaceAll('`', ''),
    ofTorch: cells[3],
    gradient: cells[5],
    wasm: cells[6],
  }));

const callOf = (name: string): ExampleCall | undefined =>
  EXAMPLE_CALLS.find((call) => call.name === name);

/** The example with gradients wanted by every operand that can have one. */
function differentiable(call: ExampleCall): unknown[] {
  return call.tensors.reduce<unknown[]>((args, { at, isTarget }) => {
    const operand = argumentAt(args, at);
    if (isTarget || !(operand instanceof Tensor) || operand.dtype !== 'float32') return args;
    return withArgument(args, at, new Tensor(operand.array, { requiresGrad: true }));
  }, call.args());
}

const tensorsIn = (result: unknown): Tensor[] =>
  result instanceof Tensor ? [result] : Object.values((result ?? {}) as Record<string, Tensor>);

beforeAll(() => setBackend('wasm'));

describe('the table of operations', () => {
  test('has every exported operation, once', () => {
    const names = new Set(EXAMPLE_CALLS.map(({ name }) => name));
    expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  test('and what PyTorch has too is called there, but for copies and random numbers', () => {
    const called = new Set(torchCalls.map(({ op }) => op));
    const missing = rows.filter(({ name, ofTorch }) => ofTorch !== '–' && !called.has(name));
    const expected = ['assign', 'dropout', 'rand', 'randn', 'tensor'];
    expect(missing.map(({ name }) => name).sort()).toEqual(expected);
  });

  test.each(rows)('$name: gradient $gradient, wasm $wasm', ({ name, gradient, wasm }) => {
    const call = callOf(name) as ExampleCall; // The test above makes sure.
    const ran = vi.spyOn(Runtime.prototype, 'run');
    const results = tidy(() => tensorsIn(invoke(call, differentiable(call))));
    const onWasm = ran.mock.calls.length > 0 ? '✓' : '–';
    ran.mockRestore();
    const isRecorded = results.some(({ node }) => node !== null) ? '✓' : '–';
    expect({ name, gradient, wasm }).toEqual({ name, gradient: isRecorded, wasm: onWasm });
  });
});
