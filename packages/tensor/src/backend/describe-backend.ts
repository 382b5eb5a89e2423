import { FAMILIES } from './all-kernels.ts';
import type { Kernels } from './contract.ts';
import { describeDispatch, type KernelDescription } from './dispatch.ts';
import { chainInUse, passedOver } from './registry.ts';

/** What runs, kernel by kernel. */
export interface BackendDescription {
  readonly name: string;
  readonly summary: string;
  /** For every kernel: the backend that computes it, and the calls that it leaves to others. */
  readonly kernels: Readonly<Record<keyof Kernels, KernelDescription>>;
}

/** Says for the backend in use which code computes each kernel, and why. */
export function describeBackend(): BackendDescription {
  const chain = chainInUse();
  const [backend] = chain;
  const entries = FAMILIES.flatMap(({ names, own }) =>
    names.map((name) => [name, describeDispatch(chain, name, own)] as const),
  );
  return {
    name: backend.name,
    summary: [backend.describe(chain.at(1)?.name ?? null), ...passedOver()].join('; '),
    kernels: Object.fromEntries(entries) as BackendDescription['kernels'], // Each name once.
  };
}
