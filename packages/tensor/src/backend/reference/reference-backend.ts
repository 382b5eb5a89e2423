import type { Backend } from '../backend.ts';

/**
 * All kernels as plain loops: the written definition that other backends are tested against. It is
 * kept readable, never optimized. Sums are taken in float64 and rounded once, when stored. The kernels
 * themselves come from `kernels.ts`, by family.
 */
export const referenceBackend: Backend = {
  name: 'reference',
  kernels: {},
  fallback: null,
  describe: () => 'reference: plain TypeScript loops, one thread, sums in float64',
  async start() {},
};
