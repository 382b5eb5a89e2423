import { describeValue } from '../core/describe.ts';
import { BackendError } from '../core/errors.ts';
import type { AnyBackend, Backend, BackendOptions } from './backend.ts';
import { KERNEL_NAMES, type Kernels } from './contract.ts';
import { gpuBackend } from './gpu/index.ts';
import { referenceBackend } from './reference/index.ts';
import { wasmBackend, whyNotWasm } from './wasm/index.ts';

const backends = new Map<string, AnyBackend>(
  [referenceBackend, wasmBackend, gpuBackend].map((backend) => [backend.name, backend]),
);

/** `wasm` where the engine can run it; it starts with the first kernel called. */
let current = complete(whyNotWasm() === null ? wasmBackend : referenceBackend);

let replaced: Kernels | null = null;

/** In the order in which `'auto'` tries them; then it takes `reference`. */
const AUTOMATIC = [gpuBackend, wasmBackend];

function lookUp(name: string): AnyBackend {
  const backend = backends.get(name);
  if (backend === undefined) {
    const known = [...backends.keys(), 'auto'].map((known) => `'${known}'`).join(', ');
    throw new BackendError(`setBackend: there is no backend '${name}'; choose one of ${known}`);
  }
  return backend;
}

/** A backend and those that its calls may go on to here, the complete one last. */
function chainOf(backend: AnyBackend): AnyBackend[] {
  const { fallback } = backend;
  if (fallback === null) return [backend];
  const rest = chainOf(lookUp(fallback));
  const usable = rest.findIndex((next) => (next.whyNot?.() ?? null) === null);
  return [backend, ...rest.slice(usable)];
}

/** A backend with those that lend it kernels, and whom `'auto'` passed over for it. */
interface Choice {
  readonly chain: readonly AnyBackend[];
  readonly passedOver: readonly string[];
}

function complete(backend: AnyBackend, passedOver: readonly string[] = []): Choice {
  return { chain: chainOf(backend), passedOver };
}

/** What ops call now in the place of the backend's kernels; null for nothing. */
export function replacedKernels(): Kernels | null {
  return replaced;
}

/**
 * Runs `body`, which must be synchronous, with other kernels in the place of those of the backend, or
 * (null) with the backend's again.
 */
export function withKernels<Result>(others: Kernels | null, body: () => Result): Result {
  const previous = replaced;
  replaced = others;
  try {
    return body();
  } finally {
    replaced = previous;
  }
}

/** The backend in use and those that its calls may go on to; another list after each choice. */
export function chainInUse(): readonly AnyBackend[] {
  return current.chain;
}

/** Whom `'auto'` passed over, and why. */
export function passedOver(): readonly string[] {
  return current.passedOver;
}

/** The names that `setBackend` takes, but `'auto'`. */
export function backendNames(): readonly string[] {
  return [...backends.keys()];
}

/**
 * Makes a backend known by its name, so that `setBackend` and the `fallback` of others may name it.
 *
 * @throws BackendError if the name is taken, the fallback is not known, or a kernel is none of
 *   `Kernels`
 */
export function registerBackend<Options extends object>(backend: Backend<Options>): void {
  const { name, kernels, fallback } = backend;
  if (backends.get(name) === backend) return;
  if (name === '' || name === 'auto' || backends.has(name)) {
    const reason = name === '' ? 'is empty' : 'is taken';
    throw new BackendError(`registerBackend: the name '${name}' ${reason}; choose another one`);
  }
  if (fallback === null || !backends.has(fallback)) {
    const known = [...backends.keys()].map((known) => `'${known}'`).join(', ');
    throw new BackendError(
      `registerBackend: the fallback of '${name}' must be one of ${known}, got ${describeValue(fallback)}`,
    );
  }
  const unknown = Object.keys(kernels).find((kernel) => !Object.hasOwn(KERNEL_NAMES, kernel));
  if (unknown !== undefined) {
    throw new BackendError(
      `registerBackend: '${name}' has a kernel '${unknown}', which no operation calls; ` +
        'the interface Kernels lists those that there are',
    );
  }
  backends.set(name, backend);
}

/**
 * Chooses the backend for all operations that follow: `'wasm'` (the default where the engine has
 * WebAssembly SIMD), `'gpu'`, `'reference'`, or `'auto'`: `gpu` where there is a hardware GPU, else
 * `wasm`, else `reference`; or one of your own, by itself or, once registered, by its name.
 *
 * @throws BackendError if the name is unknown, the backend cannot run here, or an option is not its
 *   own; the one in use stays
 */
export async function setBackend(name: string, options?: BackendOptions): Promise<void>;
export async function setBackend<Options extends object>(
  backend: Backend<Options>,
  options?: Options,
): Promise<void>;
export async function setBackend(
  choice: string | AnyBackend,
  options: BackendOptions = {},
): Promise<void> {
  if (choice === 'auto') {
    current = await chooseAutomatically(options);
    return;
  }
  if (typeof choice === 'object') registerBackend(choice);
  const backend = typeof choice === 'object' ? choice : lookUp(choice);
  expectKnownOptions(backend.name, [backend], options);
  await backend.start(options as never); // Its own, as their names say.
  current = complete(backend);
}

/** @throws BackendError unless one of the candidates knows each option that is given */
function expectKnownOptions(
  name: string,
  candidates: readonly Pick<AnyBackend, 'options'>[],
  options: BackendOptions,
): void {
  const known: readonly string[] = candidates.flatMap(({ options = [] }) => options);
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
