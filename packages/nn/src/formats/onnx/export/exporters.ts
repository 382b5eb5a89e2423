import type { Exporter } from './export-call.ts';
import { ELEMENTWISE } from './exporters/elementwise.ts';
import { REDUCTIONS } from './exporters/reductions.ts';
import { SHAPES } from './exporters/shapes.ts';
import { SPATIAL } from './exporters/spatial.ts';

/** How each operation of tensor is written, by its name. */
export const EXPORTERS: ReadonlyMap<string, Exporter> = new Map([
  ...Object.entries(ELEMENTWISE),
  ...Object.entries(REDUCTIONS),
  ...Object.entries(SHAPES),
  ...Object.entries(SPATIAL),
]);
