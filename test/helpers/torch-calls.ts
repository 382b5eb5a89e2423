import * as firelight from '@firelight/tensor';
import {
  add,
  gradients,
  mul,
  setBackend,
  square,
  sum,
  Tensor,
  tensor,
  zeros,
} from '@firelight/tensor';
import { expect } from 'vitest';

/** How an input is made; `make.py` beside the calls does the same. */
interface InputSpec {
  readonly shape: readonly number[];
  readonly seed: number;
  readonly kind: string;
}

/** A call with its results and gradients by PyTorch. */
export interface TorchCall {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly inputs: readonly InputSpec[];
  readonly results: readonly { shape: readonly number[]; values: Numbers }[];
  readonly grads: readonly Numbers[];
  /** Of second derivatives; only in long comparisons, and null where PyTorch has none. */
  readonly seconds?: readonly Numbers[] | null;
}

/** Numbers, with texts for NaN and infinities, which JSON has not. */
type Numbers = readonly (number | string)[];

type Floating = 'float32' | 'float64';

const PRIME = 1009;
const RANGES: Readonly<Record<string, readonly [low: number, high: number]>> = {
  real: [-1, 1],
  positive: [0.5, 1.5],
  wide: [-6, 6],
  inside: [-0.9, 0.9],
  aboveOne: [1.2, 3.2],
};

function inputOf({ shape, seed, kind }: InputSpec, dtype: Floating): Tensor {
  const count = shape.reduce((product, length) => product * length, 1);
  const places = Float64Array.from({ length: count }, (_, i) => (i * 619 + seed * 271) % PRIME);
  const range = RANGES[kind];
  if (range !== undefined) {
    const [low, high] = range;
    const real = places.map((place) => (place / PRIME) * (high - low) + low);
    return tensor(real, { shape, dtype, requiresGrad: true });
  }
  if (kind === 'rough') {
    const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const rough = places.map((place) => specials[place % 11] ?? (place / PRIME) * 2 - 1);
    return tensor(rough, { shape, dtype, requiresGrad: true });
  }
  const whole = places.map((place) => (place % 7) - 3);
  if (kind === 'int') return tensor(whole, { shape, dtype: 'int32' });
  if (kind === 'whole') return tensor(whole, { shape, dtype, requiresGrad: true });
  return tensor(
    Array.from(whole, (value) => value > 0),
    { shape },
  );
}

/** The arguments with tensors in the places of `{ $: number }`. */
function filled(argument: unknown, inputs: readonly Tensor[]): unknown {
  if (Array.isArray(argument)) return argument.map((part) => filled(part, inputs));
  if (typeof argument !== 'object' || argument === null) return argument;
  const place = (argument as { $?: number }).$;
  if (place !== undefined) return inputs[place];
  const entries = Object.entries(argument).map(([name, part]) => [name, filled(part, inputs)]);
  return Object.fromEntries(entries);
}

function resultsOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result as Record<string, Tensor>); // A list, or an object such as of topK.
}

function expectClose(
  { data }: { readonly data: ArrayLike<number> },
  texts: Numbers,
  tolerance: number,
): void {
  const values = texts.map(Number);
  expect(data.length).toBe(values.length);
  const largest = Math.max(1, ...values.filter(Number.isFinite).map(Math.abs));
  const wrong = values.flatMap((value, i) =>
    Object.is(data[i], value) || Math.abs(data[i] - value) <= tolerance * largest
      ? []
      : [`[${i}] ${data[i]}, not ${value}`],
  );
  expect(wrong).toEqual([]);
}

/** The sum of f(i) times element i of each tensor. */
function weighted(parts: readonly Tensor[], f: (i: number) => number): Tensor {
  return parts
    .map((part) => {
      const weights = Float64Array.from({ length: part.size }, (_, i) => f(i));
      return sum(mul(part, tensor(weights, { shape: part.shape, dtype: part.dtype as Floating })));
    })
    .reduce((total, part) => add(total, part));
}

/** Makes a call, and gives its inputs and results. */
function callWith({ op, args, inputs: specs }: TorchCall, dtype: Floating) {
  const inputs = specs.map((spec) => inputOf(spec, dtype));
  const run = (firelight as unknown as Record<string, (...args: unknown[]) => unknown>)[op];
  const results = resultsOf(run(...args.map((argument) => filled(argument, inputs))));
  return {
    leaves: inputs.filter(({ requiresGrad }) => requiresGrad),
    results,
    recorded: results.filter(({ requiresGrad }) => requiresGrad),
  };
}

function expectGradients(
  leaves: readonly Tensor[],
  grads: readonly Numbers[],
  tolerance: number,
): void {
  leaves.forEach((leaf, i) => {
    expectClose(leaf.grad ?? zeros(leaf.shape), grads[i], tolerance);
  });
}

/** Makes a call on a backend, and expects what PyTorch gave. */
export async function expectAsTorch(
  call: TorchCall,
  backend: string,
  dtype: Floating,
): Promise<void> {
  await setBackend(backend);
  const tolerance = dtype === 'float64' ? 1e-8 : 2e-5;
  const { leaves, results, recorded } = callWith(call, dtype);
  expect(results.map(({ shape }) => shape)).toEqual(call.results.map(({ shape }) => shape));
  results.forEach((result, i) => {
    expectClose(result, call.results[i].values, tolerance);
  });
  if (call.grads.length === 0) return;
  weighted(recorded, Math.cos).backward();
  expectGradients(leaves, call.grads, 10 * tolerance);
  const { seconds } = call;
  // Float32 has too few digits where a second derivative is large.
  if (seconds === undefined || seconds === null || dtype === 'float32') return;
  const again = callWith(call, dtype);
  const loss = weighted(again.recorded.map(square), Math.cos);
  const grads = gradients(loss, again.leaves, { createGraph: true });
  weighted(grads, (i) => Math.sin(i + 1)).backward();
  expectGradients(again.leaves, seconds, 100 * tolerance);
}
