import { BackendError } from '../core/errors.ts';
import type { Kernels } from './kernels.ts';
import { referenceKernels } from './reference/index.ts';

/** A backend: its own kernels, and where calls go for those it lacks. */
interface Backend {
  readonly name: string;
  readonly kernels: Partial<Kernels>;
  /** The next backend in the chain; only `reference`, which is complete, has none. */
  readonly fallback: string | null;
  /** One line: what runs, on what, with which options. */
  describe(): string;
  /** Prepares the backend; rejects with a `BackendError` that says why it cannot run here. */
  start?(): Promise<void>;
}

/** What runs, kernel by kernel. */
export interface BackendDescription {
  readonly name: string;
  readonly summary: string;
  /** For every kernel: the backend that computes it, and why where that is a fallback. */
  readonly kernels: Readonly<Record<keyof Kernels, { backend: string; reason: string | null }>>;
}

const backends = new Map<string, Backend>();
const started = new Set<string>();

/** Makes a backend known by its name. */
function registerBackend(backend: Backend): void {
  backends.set(backend.name, backend);
}

registerBackend({
  name: 'reference',
  kernels: referenceKernels,
  fallback: null,
  describe: () => 'reference: plain TypeScript loops, one thread, sums in float64',
});

let current: { backend: Backend; kernels: Kernels } = complete(lookUp('reference'));

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
 * Chooses the backend for all operations that follow.
 *
 * @throws BackendError if the name is unknown or the backend cannot run here; the one in use stays
 */
export async function setBackend(name: string): Promise<void> {
  const backend = lookUp(name);
  for (const link of chainOf(backend)) {
    if (started.has(link.name)) continue;
    await link.start?.();
    started.add(link.name);
  }
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
