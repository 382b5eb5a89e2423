import { quote } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import { describeNode, type OnnxModel, type OnnxNode } from './model-proto.ts';
import { type OnnxTensor, tensorOfNumbers } from './tensor-proto.ts';

/** What is known of a graph's tensors before it runs. */
export interface HeldTensors {
  /** By the names that nodes have for them. */
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  /** Names of those that belong to `Constant` nodes, which nothing changes. */
  readonly constants: ReadonlySet<string>;
  /** The nodes that are left to compute. */
  readonly nodes: readonly OnnxNode[];
}

/**
 * Initializers, what `Constant` nodes hold, and what `Identity` nodes make of either. PyTorch keeps
 * parameters of equal elements once and gives the others back so, under their own names: they are tensors
 * of their own here.
 *
 * @throws the source's error if a name is given twice, or a constant holds no numbers
 */
export function heldTensors(model: OnnxModel, source: ByteSource): HeldTensors {
  const tensors = new Map<string, OnnxTensor>();
  const constants = new Set<string>();
  for (const tensor of model.initializers) {
    if (tensors.has(tensor.name)) {
      throw source.error(`has two initializers ${quote(tensor.name)}; it is damaged`);
    }
    tensors.set(tensor.name, tensor);
  }
  const nodes = model.nodes.filter((node) => {
    const isConstant = node.operator === 'Constant';
    const origin = node.operator === 'Identity' ? (node.inputs[0] ?? '') : '';
    const held = isConstant ? heldBy(node, source) : tensors.get(origin);
    const [name = ''] = node.outputs;
    if (held === undefined || tensors.has(name)) return true; // A name that is taken is refused later.
    tensors.set(name, held);
    if (isConstant || constants.has(origin)) constants.add(name);
    return false;
  });
  return { tensors, constants, nodes };
}

const FLOATS = ['value_float', 'value_floats'];
const INTEGERS = ['value_int', 'value_ints'];

function heldBy(node: OnnxNode, source: ByteSource): OnnxTensor {
  const value = node.attributes.get('value');
  if (typeof value === 'object' && 'tensor' in value) return value.tensor;
  const given = [...FLOATS, ...INTEGERS].find((name) => node.attributes.has(name)) ?? '';
  const numbers = node.attributes.get(given);
  if (typeof numbers === 'number' || isNumbers(numbers)) {
    return tensorOfNumbers(numbers, FLOATS.includes(given));
  }
  throw source.error(`${describeNode(node)} holds no numbers, so it cannot be computed with`);
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}
