import type { Operator } from './node-call.ts';
import { ELEMENTWISE } from './operators/elementwise.ts';
import { NORMS } from './operators/norms.ts';
import { REDUCTIONS } from './operators/reductions.ts';
import { RESIZING } from './operators/resizing.ts';
import { SHAPES } from './operators/shapes.ts';
import { SPATIAL } from './operators/spatial.ts';

/** How each operator of ONNX that is known here is computed, from opset 6 or 7 on. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...Object.entries(ELEMENTWISE),
  ...Object.entries(NORMS),
  ...Object.entries(REDUCTIONS),
  ...Object.entries(RESIZING),
  ...Object.entries(SHAPES),
  ...Object.entries(SPATIAL),
]);
