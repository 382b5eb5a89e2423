import { quote, quoteSome } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import { describeNode, type OnnxModel, type OnnxNode } from './model-proto.ts';
import { OPERATORS } from './operators.ts';

/** @throws the source's error with all operators that are not known here */
export function expectKnownOperators({ nodes }: OnnxModel, source: ByteSource): void {
  const unknown = nodes.filter(
    ({ operator, domain }) =>
      domain !== '' || !(OPERATORS.has(operator) || operator === 'Constant'),
  );
  if (unknown.length === 0) return;
  const names = unknown.map(({ operator, domain }) =>
    domain === '' ? operator : `${domain}.${operator}`,
  );
  throw source.error(
    `needs operators that are not known here: ${quoteSome([...new Set(names)].sort())}; export it without ` +
      'them, or run it with onnxruntime-web',
  );
}

/**
 * Makes sure that each node takes what is there before it, and gives names that nothing else has.
 *
 * @param nodes those that are computed
 * @param tensors by name, what is there without them
 * @throws the source's error with the first node for which it is not so
 */
export function expectWhole(
  { inputs, outputs }: OnnxModel,
  nodes: readonly OnnxNode[],
  tensors: ReadonlyMap<string, unknown>,
  source: ByteSource,
): void {
  const known = new Set([...tensors.keys(), ...inputs.map(({ name }) => name)]);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name !== '' && !known.has(name));
    if (missing !== undefined) {
      throw source.error(
        `${describeNode(node)} takes ${quote(missing)}, which nothing before it gives; it is damaged`,
      );
    }
    for (const name of node.outputs) {
      if (name !== '' && known.has(name)) {
        throw source.error(
          `${describeNode(node)} gives ${quote(name)} a second time; it is damaged`,
        );
      }
      known.add(name);
    }
  }
  const missing = outputs.find(({ name }) => name === '' || !known.has(name));
  if (missing !== undefined || outputs.length === 0) {
    throw source.error(`has no node for the output ${quote(missing?.name ?? '')}; it is damaged`);
  }
}
