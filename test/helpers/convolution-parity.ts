import {
  type BackendOptions,
  conv2dBranches,
  setBackend,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import fc from 'fast-check';
import { bitsOf } from './bits.ts';
import { relativeError } from './relative-error.ts';
import { WINOGRAD_ERROR } from './tolerances.ts';
import { type Branch, branchesWith, type Limits } from './windows.ts';

/**
 * Compares convolutions and all their gradients with the reference backend in float64. Without
 * vitest, so that it also runs in worker threads and pages; what fails throws.
 *
 * All operands are whole numbers, and biases lie halfway between them. So plain sums are exact in
 * float32, and no output is so near to the kink of ReLU that rounding could decide its gradient.
 */

type Float = 'float32' | 'float64';

export interface Call {
  readonly x: readonly number[];
  readonly branches: readonly Branch[];
  readonly hasBias: boolean;
  readonly activation: 'none' | 'relu';
  readonly seed: number;
}

/** Whole numbers from −4 to 4, each plus `shift`. */
function numbers(shape: readonly number[], seed: number, dtype: Float, shift = 0): Tensor {
  const data = new Float64Array(shape.reduce((product, length) => product * length, 1));
  let state = seed | 1;
  for (let i = 0; i < data.length; i++) {
    // Marsaglia's xorshift: these are many numbers, and need not be good ones.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = ((state >>> 0) % 9) - 4 + shift;
  }
  return tensor(data, { shape, dtype, requiresGrad: true });
}

/** The output, and the gradients by input, weights and biases. */
function evaluate({ x, branches, hasBias, activation, seed }: Call, dtype: Float): Tensor[] {
  const input = numbers(x, seed, dtype);
  const options = branches.map(({ weight, ...window }, i) => {
    const bias = hasBias ? numbers([weight[0]], seed + 2 * i + 2, dtype, 0.5) : null;
    return { weight: numbers(weight, seed + 2 * i + 1, dtype), bias, ...window };
  });
  const y = conv2dBranches(input, options, { activation });
  y.backward(numbers(y.shape, seed + 99, dtype));
  const operands = [input, ...options.flatMap(({ weight, bias }) => [weight, bias ?? []].flat())];
  return [y, ...operands.map(({ grad }) => grad as Tensor)];
}

interface Subject {
  readonly backend: string;
  readonly options?: BackendOptions;
  /** Largest error as a share of the RMS; 0 for plain sums. */
  readonly tolerance?: number;
}

/** What the reference backend gives in float64, by call: subjects that get the same calls share it. */
export type Expectations = Map<string, readonly Pick<Tensor, 'shape' | 'data'>[]>;

async function expectedOf(call: Call, known: Expectations) {
  const key = JSON.stringify(call);
  const before = known.get(key);
  if (before !== undefined) return before;
  await setBackend('reference');
  const expected = evaluate(call, 'float64').map(({ shape, data }) => ({ shape, data }));
  known.set(key, expected);
  return expected;
}

/** One convolution and its gradients. */
export async function checkConvolution(
  call: Call,
  { backend, options, tolerance = 0 }: Subject,
  known: Expectations = new Map(),
): Promise<void> {
  const expected = await expectedOf(call, known);
  await setBackend(backend, options);
  evaluate(call, 'float32').forEach(({ shape, data }, i) => {
    const name = i === 0 ? 'the output' : `gradient ${i}`;
    if (shape.join() !== expected[i].shape.join()) {
      throw new Error(`${name} has the shape [${shape}], expected [${expected[i].shape}]`);
    }
    const error = relativeError(data, expected[i].data);
    if (!(error <= tolerance)) throw new Error(`${name} is off by ${error} of its RMS`);
  });
}

/** Random convolutions of one input, one or several side by side. */
function callsWithin(limits: Limits): fc.Arbitrary<Call> {
  return fc
    .record({ call: branchesWith(limits), activation: fc.constantFrom('none', 'relu') })
    .map(({ call, activation }): Call => {
      const hasBias = call.hasBias || activation === 'relu';
      return { ...call, hasBias, activation };
    });
}

type RandomLimits = Limits & { numRuns: number; seed?: number };

/** @param known of subjects before this one, to which it adds */
export async function checkConvolutions(
  subject: Subject,
  { seed = 20161104, numRuns, ...limits }: RandomLimits,
  known: Expectations = new Map(),
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(callsWithin(limits), (call) => checkConvolution(call, subject, known)),
    { seed, numRuns },
  );
}

/** Whether `wasm` computes random convolutions with wide and narrow vectors to the same bits. */
export async function checkWidths(
  options: BackendOptions,
  { seed = 20161104, numRuns, ...limits }: RandomLimits,
): Promise<void> {
  const calls = fc.sample(callsWithin(limits), { seed, numRuns });
  const results: Int32Array[][][] = [];
  for (const wideVectors of [false, true]) {
    await setBackend('wasm', { ...options, wideVectors });
    results.push(calls.map((call) => evaluate(call, 'float32').map(({ data }) => bitsOf(data))));
  }
  const [narrow, wide] = results;
  narrow.forEach((tensors, call) => {
    tensors.forEach((bits, i) => {
      const at = bits.findIndex((word, element) => word !== wide[call][i][element]);
      if (at >= 0) {
        throw new Error(`tensor ${i} of ${JSON.stringify(calls[call])} differs at element ${at}`);
      }
    });
  });
}

/** Ways of the wasm backend to compute the same. */
export const WASM_VARIANTS = [
  { name: 'plain sums', threads: 1, options: { winograd: false } },
  { name: 'plain sums on several threads', threads: 3, options: { winograd: false } },
  {
    name: 'plain sums without fused multiply-add',
    threads: 1,
    options: { winograd: false, relaxedSimd: false },
  },
  {
    name: 'plain sums with 128-bit vectors',
    threads: 1,
    options: { winograd: false, wideVectors: false },
  },
] as const;

/** …and those that take 3×3 kernels by Winograd's algorithm, which is not exact. */
export const WINOGRAD_VARIANTS = [
  { name: 'by Winograd', threads: 1, options: {}, tolerance: WINOGRAD_ERROR },
  {
    name: 'by Winograd without fused multiply-add, on several threads',
    threads: 3,
    options: { relaxedSimd: false },
    tolerance: WINOGRAD_ERROR,
  },
  {
    name: 'by Winograd with 128-bit vectors',
    threads: 1,
    options: { wideVectors: false },
    tolerance: WINOGRAD_ERROR,
  },
] as const;
