import { BackendError } from '../core/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { describeDispatch, dispatch, type KernelDescription } from './dispatch.ts';
import { gpuBackend } from './gpu/index.ts';
import type { Kernels } from './kernels.ts';
import { referenceKernels } from './reference/index.ts';
import { wasmBackend, whyNotWasm } from './wasm/index.ts';

/** What runs, kernel by kernel. */
export interface BackendDescription {
  readonly name: string;
  readonly summary: string;
  /** For every kernel: the backend that computes it, and the calls that it leaves to others. */
  readonly kernels: Readonly<Record<keyof Kernels, KernelDescription>>;
}

const referenceBackend: Backend = {
  name: 'reference',
  kernels: referenceKernels,
  declined: {},
  options: [],
  fallback: null,
  describe: () => 'reference: plain TypeScript loops, one thread, sums in float64',
  async start() {},
};

const backends = new Map(
  [referenceBackend, wasmBackend, gpuBackend].map((backend) => [backend.name, backend]),
);

/** `wasm` where the engine can run it; it starts with the first kernel called. */
let current = complete(whyNotWasm() === null ? wasmBackend : referenceBackend);

/** In the order in which `'auto'` tries them; then it takes `reference`. */
const AUTOMATIC = [gpuBackend, wasmBackend];

function lookUp(name: string): Backend {
  const backend = backends.get(name);
  if (backend === undefined) {
    const known = [...backends.keys(), 'auto'].map((known) => `'${known}'`).join(', ');
    throw new BackendError(`setBackend: there is no backend '${name}'; choose one of ${known}`);
  }
  return backend;
}

function chainOf(backend: Backend): Backend[] {
  return backend.fallback === null ? [backend] : [backend, ...chainOf(lookUp(backend.fallback))];
}

/** A backend with the kernels that others lend it, and whom `'auto'` passed over for it. */
interface Choice {
  readonly backend: Backend;
  readonly kernels: Kernels;
  readonly passedOver: readonly string[];
}

function complete(backend: Backend, passedOver: readonly string[] = []): Choice {
  return { backend, kernels: dispatch(chainOf(backend)), passedOver };
}

/** The kernels that ops call now. */
export function kernels(): Kernels {
  return current.kernels;
}

/**
 * Chooses the backend for all operations that follow: `'wasm'` (the default where the engine has
 * WebAssembly SIMD), `'gpu'`, `'reference'`, or `'auto'`: `gpu` where there is a hardware GPU, else
 * `wasm`, else `reference`.
 *
 * @throws BackendError if the name is unknown, the backend cannot run here, or an option is not its
 *   own; the one in use stays
 */
export async function setBackend(name: string, options: BackendOptions = {}): Promise<void> {
  if (name === 'auto') {
    current = await chooseAutomatically(options);
    return;
  }
  const backend = lookUp(name);
  expectKnownOptions(name, [backend], options);
  await backend.start(options);
  current = complete(backend);
}

/** @throws BackendError unless one of the candidates knows each option that is given */
function expectKnownOptions(
  name: string,
  candidates: readonly Backend[],
  options: BackendOptions,
): void {
  const known: readonly string[] = candidates.flatMap((backend) => backend.options);
  const unknown = Object.entries(options).find(
    ([option, value]) => value !== undefined && !known.includes(option),
  );
  if (unknown === undefined) return;
  const list = known.length === 0 ? 'no options' : `the options ${known.join(', ')}`;
  throw new BackendError(`setBackend: '${name}' has no option '${unknown[0]}'; it has ${list}`);
}

async function chooseAutomatically(options: BackendOptions): Promise<Choice> {
  expectKnownOptions('auto', AUTOMATIC, options);
  const passedOver: string[] = [];
  for (const backend of AUTOMATIC) {
    const problem = await backend.startAutomatically(options);
    if (problem === null) return complete(backend, passedOver);
    passedOver.push(`not '${backend.name}': ${problem}`);
  }
  return complete(referenceBackend, passedOver);
}

/** Runs `body`, which must be synchronous, on another backend that was started before. */
export function withBackend<Result>(name: string, body: () => Result): Result {
  const previous = current;
  current = complete(lookUp(name));
  try {
    return body();
  } finally {
    current = previous;
  }
}

/** Says for the backend in use which code computes each kernel, and why. */
export function describeBackend(): BackendDescription {
  const { backend, passedOver } = current;
  return {
    name: backend.name,
    summary: [backend.describe(), ...passedOver].join('; '),
    kernels: describeDispatch(chainOf(backend)),
  };
}
