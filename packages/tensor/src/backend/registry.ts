import { BackendError } from '../core/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import type { Kernels } from './kernels.ts';
import { referenceKernels } from './reference/index.ts';
import { wasmBackend, whyNotWasm } from './wasm/backend.ts';

/** What runs, kernel by kernel. */
export interface BackendDescription {
  readonly name: string;
  readonly summary: string;
  /** For every kernel: the backend that computes it, and why where that is a fallback. */
  readonly kernels: Readonly<Record<keyof Kernels, { backend: string; reason: string | null }>>;
}

const referenceBackend: Backend = {
  name: 'reference',
  kernels: referenceKernels,
  fallback: null,
  describe: () => 'reference: plain TypeScript loops, one thread, sums in float64',
  async start() {},
};

const backends = new Map([referenceBackend, wasmBackend].map((backend) => [backend.name, backend]));

/** `wasm` where the engine can run it; it starts with the first kernel called. */
let current = complete(whyNotWasm() === null ? wasmBackend : referenceBackend);

function lookUp(name: string): Backend {
  const backend = backends.get(name);
  if (backend === undefined) {
    const known = [...backends.keys()].map((known) => `'${known}'`).join(', ');
    throw new BackendError(`setBackend: there is no backend '${name}'; choose one of ${known}`);
  }
  return backend;
}

function chainOf(backend: Backend): Backend[] {
  return backend.fallback === null ? [backend] : [backend, ...chainOf(lookUp(backend.fallback))];
}

function complete(backend: Backend): { backend: Backend; kernels: Kernels } {
  const partials = chainOf(backend).map((link) => link.kernels);
  // Every chain ends at `reference`, whose type is the full interface.
  return { backend, kernels: Object.assign({}, ...partials.reverse()) as Kernels };
}

/** The kernels that ops call now. */
export function kernels(): Kernels {
  return current.kernels;
}

/**
 * Chooses the backend for all operations that follow: `'wasm'` (the default where the engine has
 * WebAssembly SIMD) or `'reference'`.
 *
 * @throws BackendError if the name is unknown, the backend cannot run here, or an option is not its
 *   own; the one in use stays
 */
export async function setBackend(name: string, options: BackendOptions = {}): Promise<void> {
  const backend = lookUp(name);
  await backend.start(options);
  current = complete(backend);
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
  const { backend } = current;
  const chain = chainOf(backend);
  const names = Object.keys(current.kernels) as (keyof Kernels)[];
  const entries = names.map((kernel) => {
    const link = chain.find((candidate) => candidate.kernels[kernel] !== undefined) ?? backend;
    const reason = link === backend ? null : `'${backend.name}' has no kernel for it`;
    return [kernel, { backend: link.name, reason }] as const;
  });
  return {
    name: backend.name,
    summary: backend.describe(),
    kernels: Object.fromEntries(entries) as BackendDescription['kernels'],
  };
}
