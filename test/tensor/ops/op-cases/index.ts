import { adjointCases } from './adjoints.ts';
import { elementwiseCases } from './elementwise.ts';
import { movementCases } from './movement.ts';
import type { OpCase } from './op-case.ts';
import { reductionCases } from './reductions.ts';
import { resizingCases } from './resizing.ts';
import { spatialCases } from './spatial.ts';

/** For every operation that users can call and that has a gradient at least one case. */
export const OP_CASES: readonly OpCase[] = [
  ...elementwiseCases,
  ...movementCases,
  ...reductionCases,
  ...spatialCases,
  ...resizingCases,
];

/** For every operation that only gradients of gradients are made of. */
export const ADJOINT_CASES: readonly OpCase[] = adjointCases(OP_CASES);
