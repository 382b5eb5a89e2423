import type { Tensor } from '@firelight/tensor';
import { quote } from '@firelight/tensor/extend';
import { ELEMENT_TYPES, type ElementType } from './element-types.ts';
import type { OnnxAttribute, OnnxNode } from './model-proto.ts';

/** What an operator gives: results in the order of the node's outputs, or why it cannot be computed here. */
export type OperatorResult = Tensor | readonly (Tensor | null)[] | { readonly reason: string };

/** How an operator is computed. */
export type Operator = (call: NodeCall) => OperatorResult;

/** Says why a node cannot be computed. */
export const not = (reason: string): OperatorResult => ({ reason });

/** How a network runs a node. */
export interface NodeMode {
  /** The version of ONNX's operators. */
  readonly opset: number;
  /** Whether norms take the statistics of the batch, and dropout drops. */
  readonly training: boolean;
}

/** A node with its inputs, as operators look at it. */
export class NodeCall {
  readonly #node: OnnxNode;
  readonly #inputs: readonly (Tensor | null)[];
  readonly #mode: NodeMode;
  readonly #unread: Set<string>;

  constructor(node: OnnxNode, inputs: readonly (Tensor | null)[], mode: NodeMode) {
    this.#node = node;
    this.#inputs = inputs;
    this.#mode = mode;
    this.#unread = new Set(node.attributes.keys());
  }

  /** Names of attributes that the operator has not looked at. */
  get unread(): readonly string[] {
    return [...this.#unread];
  }

  /** Says that attributes change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name);
  }

  get opset(): number {
    return this.#mode.opset;
  }

  get training(): boolean {
    return this.#mode.training;
  }

  /** How many results the node has names for. */
  get outputs(): number {
    return this.#node.outputs.length;
  }

  /** Whether somebody may ask for a result. */
  hasOutput(index: number): boolean {
    return (this.#node.outputs[index] ?? '') !== '';
  }

  /** How many inputs the node has. */
  get count(): number {
    return this.#inputs.length;
  }

  /** Whether an input is there. */
  has(index: number): boolean {
    return (this.#inputs[index] ?? null) !== null;
  }

  /** An input that must be there. */
  x(index = 0): Tensor {
    const input = this.#inputs[index] ?? null;
    if (input === null) throw new MissingInput(`input ${index} is left out, and has to be there`);
    return input;
  }

  /** An input, or null if it is left out. */
  optional(index: number): Tensor | null {
    return this.#inputs[index] ?? null;
  }

  /** All inputs, none of which may be left out. */
  all(): Tensor[] {
    return this.#inputs.map((_, i) => this.x(i));
  }

  /** The numbers of an input that is an option here, or `otherwise` if it is left out. */
  list(index: number, otherwise: readonly number[] = []): number[] {
    return this.has(index) ? Array.from(this.x(index).data) : [...otherwise];
  }

  /** The only number of an input, or `otherwise` if it is left out. */
  number(index: number, otherwise = 0): number {
    return this.list(index, [otherwise])[0] ?? otherwise;
  }

  hasAttribute(name: string): boolean {
    return this.#node.attributes.has(name);
  }

  #attribute<Value extends OnnxAttribute>(
    name: string,
    is: (value: OnnxAttribute) => value is Value,
  ): Value | undefined {
    this.ignore(name);
    const value = this.#node.attributes.get(name);
    if (value === undefined || is(value)) return value;
    throw new MissingInput(`attribute ${quote(name)} is of a type that the operator does not take`);
  }

  /** An attribute that is a number. */
  a(name: string, otherwise: number): number {
    return this.#attribute(name, (value) => typeof value === 'number') ?? otherwise;
  }

  /** An attribute that is a tensor. */
  tensor(name: string): Tensor | undefined {
    return this.#attribute(name, isTensor)?.tensor.read();
  }

  /** An attribute that is a text. */
  text(name: string, otherwise: string): string {
    return this.#attribute(name, (value) => typeof value === 'string') ?? otherwise;
  }

  /** An attribute that is a text of some, or null if it is another. */
  choice<Choice extends string>(
    name: string,
    choices: readonly Choice[],
    otherwise: Choice,
  ): Choice | null {
    const text = this.text(name, otherwise);
    return choices.find((choice) => choice === text) ?? null;
  }

  /** An attribute that is a list of numbers, or else an input that newer operators have instead. */
  numbers(name: string, index: number | null = null): number[] | undefined {
    const given = this.#attribute(name, isNumbers);
    if (given !== undefined) return [...given];
    return index !== null && this.has(index) ? this.list(index) : undefined;
  }

  /** An attribute that is the number of an element type. */
  elementType(name: string): ElementType | undefined {
    return ELEMENT_TYPES.get(this.a(name, 0));
  }
}

/** A node that does not have what its operator needs. */
export class MissingInput extends Error {}

const isNumbers = (value: OnnxAttribute): value is readonly number[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'number');

const isTensor = (value: OnnxAttribute): value is Extract<OnnxAttribute, { tensor: unknown }> =>
  typeof value === 'object' && 'tensor' in value;
