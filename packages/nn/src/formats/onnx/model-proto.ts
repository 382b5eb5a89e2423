import { printable, quote } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import { ELEMENT_TYPES, type ElementType } from './element-types.ts';
import { Message } from './message.ts';
import { type OnnxTensor, readTensorProto } from './tensor-proto.ts';

/** What an attribute holds; `unread` for what no operator here takes, such as a graph. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly tensor: OnnxTensor }
  | { readonly unread: string };

/** One operation of a graph. */
export interface OnnxNode {
  /** As the file has it, or else the name of its first output. */
  readonly name: string;
  readonly operator: string;
  /** Who defines the operator; empty for ONNX itself. */
  readonly domain: string;
  /** Names of tensors; empty for an optional one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** An input or output of a graph. */
export interface OnnxValue {
  readonly name: string;
  /** Undefined if it is no tensor, or of a type that is not computed here. */
  readonly type: ElementType | undefined;
  /** Lengths, or names of those that a run decides; null if nothing is said of the shape. */
  readonly shape: readonly (number | string)[] | null;
}

/** What an ONNX file says, with tensors whose elements are not read yet. */
export interface OnnxModel {
  readonly irVersion: number;
  /** Name and version of the program that wrote the file. */
  readonly producer: string;
  /** Versions of the sets of operators by their domain; ONNX's own is `''`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const KINDS = {
  float: 1,
  integer: 2,
  text: 3,
  tensor: 4,
  floats: 6,
  integers: 7,
  texts: 8,
} as const;

/** The domain of ONNX's own operators has two names. */
const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

function readAttribute(message: Message): OnnxAttribute {
  switch (message.integer(20) || guessedKind(message)) {
    case KINDS.float:
      return message.floats(2).at(-1) ?? 0;
    case KINDS.integer:
      return message.integer(3);
    case KINDS.text:
      return message.text(4);
    case KINDS.tensor: {
      const tensor = message.message(5);
      return tensor === undefined ? { unread: 'nothing' } : { tensor: readTensorProto(tensor) };
    }
    case KINDS.floats:
      return message.floats(7);
    case KINDS.integers:
      return message.integers(8);
    case KINDS.texts:
      return message.texts(9);
    default:
      return { unread: 'graphs, sparse tensors or types' };
  }
}

/** Files of the first version do not say what an attribute is: the field that it has tells. */
function guessedKind(message: Message): number {
  const fields = { 2: 1, 3: 2, 4: 3, 5: 4, 7: 6, 8: 7, 9: 8 };
  const found = Object.entries(fields).find(([field]) => message.has(Number(field)));
  return found?.[1] ?? 0;
}

function readNode(message: Message): OnnxNode {
  const outputs = message.texts(2);
  return {
    name: message.text(3) || (outputs[0] ?? ''),
    operator: message.text(4),
    domain: domainOf(message.text(7)),
    inputs: message.texts(1),
    outputs,
    attributes: new Map(message.messages(5).map((each) => [each.text(1), readAttribute(each)])),
  };
}

function readValue(message: Message): OnnxValue {
  const tensor = message.message(2)?.message(1);
  const shape = tensor?.message(2);
  return {
    name: message.text(1),
    type: ELEMENT_TYPES.get(tensor?.integer(1) ?? 0),
    shape:
      shape === undefined
        ? null
        : shape.messages(1).map((length) => (length.has(1) ? length.integer(1) : length.text(2))),
  };
}

/**
 * Reads the messages of an ONNX file; graphs inside of nodes are passed over.
 *
 * @throws the source's error if it is cut, damaged, or no ONNX file
 * @see onnx/onnx, onnx/onnx.proto
 */
export function readModel(source: ByteSource): OnnxModel {
  const model = new Message(source);
  const graph = model.message(7);
  if (graph === undefined || !model.has(8)) {
    throw source.error('holds no graph with its version of operators, so it is no ONNX model');
  }
  const opsets = new Map(
    model.messages(8).map((set) => [domainOf(set.text(1)), set.integer(2)] as const),
  );
  if (graph.has(15)) {
    throw source.error('has sparse initializers, which are not read; export it with dense ones');
  }
  return {
    irVersion: model.integer(1),
    producer: printable(`${model.text(2)} ${model.text(3)}`).trim(),
    opsets,
    metadata: new Map(model.messages(14).map((entry) => [entry.text(1), entry.text(2)])),
    nodes: graph.messages(1).map(readNode),
    initializers: graph.messages(5).map(readTensorProto),
    inputs: graph.messages(11).map(readValue),
    outputs: graph.messages(12).map(readValue),
  };
}

/** How messages name a node. */
export function describeNode({ name, operator }: OnnxNode): string {
  return `node ${quote(name)} (${operator})`;
}
