import type { AnyBackend } from './backend.ts';
import type { Kernels } from './contract.ts';
import {
  type Declined,
  NOT_FLOAT32,
  NOT_FLOAT32_WITH_INDICES,
  WITHOUT_ELEMENTS,
} from './declined.ts';

/** Who computes a kernel. */
export interface KernelDescription {
  readonly backend: string;
  /** Why that is a fallback; null where it is not. */
  readonly reason: string | null;
  /** Calls that `backend` declines, each with the backend that computes them. */
  readonly declined: readonly { readonly calls: string; readonly backend: string }[];
}

/** Kernels of the library's own backends, by the names of these. */
export type OwnKernels = Readonly<
  Record<string, Pick<AnyBackend, 'kernels' | 'declined'> | undefined>
>;

type AnyKernel = (...values: readonly unknown[]) => unknown;

/** A backend that has a kernel, and the calls of it that it leaves to the next such backend. */
interface Link {
  readonly backend: string;
  readonly kernel: AnyKernel;
  readonly declined: readonly Declined[];
}

/**
 * The links for one kernel, in the order in which they are asked. Arrays without elements have
 * nothing to be fast at: only the last link, which is plain loops, meets them, so that no other
 * kernel needs to think of them.
 */
function linksOf(chain: readonly AnyBackend[], name: keyof Kernels, own: OwnKernels): Link[] {
  return chain.flatMap((backend) => {
    const source = backend.kernels[name] === undefined ? own[backend.name] : backend;
    // Dispatching does not know the signatures of kernels: it passes on what it gets.
    const kernel = source?.kernels[name] as AnyKernel | undefined;
    if (kernel === undefined) return [];
    const rules = (source?.declined?.[name] ?? []) as readonly Declined[];
    const declined = backend.fallback === null ? rules : [WITHOUT_ELEMENTS, ...rules];
    return [{ backend: backend.name, kernel, declined }];
  });
}

function dispatched(links: readonly Link[]): AnyKernel {
  const [{ kernel, declined }, ...others] = links;
  if (others.length === 0) return kernel;
  const next = dispatched(others);
  return (...values) =>
    declined.some(({ include }) => include(...values)) ? next(...values) : kernel(...values);
}

function described([first, ...others]: readonly Link[], asked: string): KernelDescription {
  const declined = first.declined.map((rule) => {
    const taker = others.find((link) => !link.declined.includes(rule)) as Link; // The last has no rules.
    return { calls: rule.calls, backend: taker.backend };
  });
  const reason = first.backend === asked ? null : `'${asked}' has no kernel for it`;
  return { backend: first.backend, reason, declined };
}

/** Some kernels, each of which goes to the first backend of the chain that takes the call. */
export function dispatch(
  chain: readonly AnyBackend[],
  names: readonly (keyof Kernels)[],
  own: OwnKernels,
): Partial<Kernels> {
  const entries = names.map((name) => [name, dispatched(linksOf(chain, name, own))] as const);
  return Object.fromEntries(entries);
}

/**
 * A kernel that is not in the contract, by the names of the backends that compute it.
 *
 * @param indexed whether they take int32 arrays beside float32 ones
 */
export function dispatchOwn(
  chain: readonly AnyBackend[],
  versions: Readonly<Record<string, AnyKernel | undefined>>,
  indexed: boolean,
): AnyKernel {
  const dtypes = indexed ? NOT_FLOAT32_WITH_INDICES : NOT_FLOAT32;
  const links = chain.flatMap(({ name: backend, fallback }) => {
    const kernel = versions[backend];
    if (kernel === undefined) return [];
    return [{ backend, kernel, declined: fallback === null ? [] : [WITHOUT_ELEMENTS, dtypes] }];
  });
  return dispatched(links);
}

/** What `dispatch` does with a kernel. */
export function describeDispatch(
  chain: readonly AnyBackend[],
  name: keyof Kernels,
  own: OwnKernels,
): KernelDescription {
  return described(linksOf(chain, name, own), chain[0].name);
}
