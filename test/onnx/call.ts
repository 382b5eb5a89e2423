import { type DType, type Tensor, tensor } from '@firelight/tensor';
import type { OnnxCase, OnnxTensor } from './cases.ts';

/** What a mapping gives: results in the order of the node's outputs, or why no operation expresses it. */
export type Mapped = Tensor | readonly (Tensor | null)[] | { readonly reason: string };

/** How an operator is called here. */
export type Mapping = (call: OnnxCall) => Mapped;

export const not = (reason: string): Mapped => ({ reason });

const DTYPES: Readonly<Record<string, DType | undefined>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  uint8: 'uint8',
  int8: 'int8',
  uint16: 'uint16',
  bool: 'bool',
  float16: 'float16',
  bfloat16: 'bfloat16',
  // Positions, sizes and axes; whole numbers beyond int32 are no case of ours.
  int64: 'int32',
};

/** The dtype that tensors of ONNX have here; none if tensors here do not hold their elements. */
export function dtypeOf({ type }: OnnxTensor): DType | undefined {
  return DTYPES[type];
}

/** Whether tensors here hold the elements. */
export function holds(value: OnnxTensor | null): boolean {
  return value === null || dtypeOf(value) !== undefined;
}

function tensorOf(value: OnnxTensor): Tensor {
  const { shape, values } = value;
  const dtype = dtypeOf(value);
  if (dtype === undefined) throw new Error(`tensors have no ${value.type}`);
  return dtype === 'bool'
    ? tensor(values.map(Boolean), { shape })
    : tensor(values, { shape, dtype });
}

/** A node as mappings look at it. */
export class OnnxCall {
  readonly #node: OnnxCase;
  readonly #unread: Set<string>;

  constructor(node: OnnxCase) {
    this.#node = node;
    this.#unread = new Set(Object.keys(node.attributes));
  }

  /** Names of attributes that nobody has looked at. */
  get unread(): readonly string[] {
    return [...this.#unread];
  }

  /** Says that attributes change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name);
  }

  get opset(): number {
    return this.#node.opset;
  }

  /** How many results are asked for. */
  get outputs(): number {
    return this.#node.outputs.length;
  }

  /** How many inputs are given. */
  get count(): number {
    return this.#node.inputs.length;
  }

  /** Whether an input is there. */
  has(index: number): boolean {
    return (this.#node.inputs[index] ?? null) !== null;
  }

  /** An input that must be there. */
  x(index = 0): Tensor {
    return tensorOf(this.#raw(index));
  }

  /** All inputs. */
  all(): Tensor[] {
    return this.#node.inputs.map((_, i) => this.x(i));
  }

  /** The numbers of an input that is an option here, or `otherwise` if it is left out. */
  list(index: number, otherwise: readonly number[] = []): number[] {
    return this.has(index) ? [...this.#raw(index).values] : [...otherwise];
  }

  /** The only number of an input, or of one that is left out. */
  number(index: number, otherwise = 0): number {
    return this.list(index, [otherwise])[0];
  }

  #raw(index: number): OnnxTensor {
    const value = this.#node.inputs[index] ?? null;
    if (value === null) throw new Error(`${this.#node.name}: input ${index} is left out`);
    return value;
  }

  hasAttribute(name: string): boolean {
    return this.#node.attributes[name] !== undefined;
  }

  #attribute<Value>(name: string): Value | undefined {
    this.ignore(name);
    return this.#node.attributes[name] as Value | undefined;
  }

  /** An attribute that is a number. */
  a(name: string, otherwise: number): number {
    return this.#attribute<number>(name) ?? otherwise;
  }

  /** An attribute that is a tensor. */
  tensor(name: string): Tensor | undefined {
    const value = this.#attribute<OnnxTensor>(name);
    return value === undefined ? undefined : tensorOf(value);
  }

  /** An attribute that is a text. */
  text(name: string, otherwise: string): string {
    return this.#attribute<string>(name) ?? otherwise;
  }

  /** An attribute that is a list of numbers, or else an input that newer operators have instead. */
  numbers(name: string, index: number | null = null): number[] | undefined {
    const given = this.#attribute<readonly number[]>(name);
    if (given !== undefined) return [...given];
    return index !== null && this.has(index) ? this.list(index) : undefined;
  }
}
