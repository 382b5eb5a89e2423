import { elementwiseCases } from './elementwise.ts';
import { movementCases } from './movement.ts';
import type { OpCase } from './op-case.ts';
import { reductionCases } from './reductions.ts';
import { spatialCases } from './spatial.ts';

/** For every differentiable operation at least one case; `all-ops.test.ts` makes sure of it. */
export const OP_CASES: readonly OpCase[] = [
  ...elementwiseCases,
  ...movementCases,
  ...reductionCases,
  ...spatialCases,
];
