import type { OnnxNode } from './model-proto.ts';

/** Inputs of operators that are trained, if an initializer is put there. */
const TRAINED: ReadonlyMap<string, readonly number[]> = new Map([
  ['Add', [0, 1]],
  ['BatchNormalization', [1, 2]],
  ['Concat', [0, 1]],
  ['Conv', [1, 2]],
  ['ConvTranspose', [1, 2]],
  ['Gather', [0]],
  ['Gemm', [0, 1, 2]],
  ['GroupNormalization', [1, 2]],
  ['InstanceNormalization', [1, 2]],
  ['LayerNormalization', [1, 2]],
  ['MatMul', [0, 1]],
  ['Mul', [0, 1]],
  ['PRelu', [1]],
  ['RMSNormalization', [1]],
]);

/** Operators whose result has the elements of their first input, so that what is trained may lie before them. */
const PASSING: ReadonlySet<string> = new Set([
  'Cast',
  'Expand',
  'Flatten',
  'Identity',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/**
 * Which initializers are trained: those that reach such an input of a node, perhaps through nodes that only
 * move elements.
 *
 * @param candidates names of initializers that may be
 */
export function weightsOf(
  nodes: readonly OnnxNode[],
  candidates: ReadonlySet<string>,
): ReadonlySet<string> {
  const trained = new Set<string>();
  const origins = new Map<string, ReadonlySet<string>>();
  const originsOf = (name: string): ReadonlySet<string> =>
    candidates.has(name) ? new Set([name]) : (origins.get(name) ?? new Set());
  for (const node of nodes) {
    for (const place of TRAINED.get(node.operator) ?? []) {
      for (const origin of originsOf(node.inputs[place] ?? '')) trained.add(origin);
    }
    if (!PASSING.has(node.operator)) continue;
    // Other inputs, such as a shape, are no floats.
    const found = originsOf(node.inputs[0] ?? '');
    if (found.size > 0) origins.set(node.outputs[0], found);
  }
  return trained;
}
