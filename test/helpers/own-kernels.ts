import { FAMILIES } from '../../packages/tensor/src/backend/all-kernels.ts';
import type { Kernels } from '../../packages/tensor/src/backend/contract.ts';

/** The names of all kernels. */
export const KERNELS: readonly (keyof Kernels)[] = FAMILIES.flatMap(({ names }) => names);

/**
 * Where a backend of the library's own has a kernel, to watch or exchange it there: it is taken from
 * there when a backend is chosen. Nothing where the backend has none.
 */
export function ownKernels(backend: string, name: keyof Kernels): Kernels | undefined {
  const family = FAMILIES.find(({ names }) => names.includes(name));
  return family?.own[backend]?.kernels as Kernels | undefined;
}
