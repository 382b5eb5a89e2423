import type { DType } from '@firelight/tensor';
import type { Dim } from './dims.ts';
import type { AttributeValue, GraphBuilder } from './graph-builder.ts';

/** A tensor of the graph that is being written. */
export interface Operand {
  readonly name: string;
  readonly dims: readonly Dim[];
  readonly dtype: DType;
}

/** What a node may say besides its inputs. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Shape of the output; that of the operation by default. */
  readonly dims?: readonly Dim[];
  /** Its dtype; that of the operation by default. */
  readonly dtype?: DType;
}

/** One operation, as it is written to a graph. */
export class ExportCall {
  readonly graph: GraphBuilder;
  readonly op: string;
  readonly dims: readonly Dim[];
  readonly dtype: DType;
  readonly #attributes: unknown;
  readonly #operands: readonly (Operand | null)[];

  constructor(
    graph: GraphBuilder,
    {
      op,
      dims,
      dtype,
      attributes,
    }: Pick<ExportCall, 'op' | 'dims' | 'dtype'> & { attributes: unknown },
    operands: readonly (Operand | null)[],
  ) {
    this.graph = graph;
    this.op = op;
    this.dims = dims;
    this.dtype = dtype;
    this.#attributes = attributes;
    this.#operands = operands;
  }

  /** What the operation takes besides; `Attributes` is what its definition in tensor says. */
  attributes<Attributes>(): Attributes {
    return this.#attributes as Attributes;
  }

  /** An operand that is there. */
  operand(index = 0): Operand {
    const operand = this.optional(index);
    if (operand === null) throw new Error(`exportOnnx: ${this.op} lacks operand ${index}`);
    return operand;
  }

  /** An operand, or null if it is left out. */
  optional(index: number): Operand | null {
    return this.#operands[index] ?? null;
  }

  /** The name of an operand. */
  x(index = 0): string {
    return this.operand(index).name;
  }

  /** The names of all operands. */
  all(): string[] {
    return this.#operands.map((_, i) => this.x(i));
  }

  /** Adds a node. @returns the name of its output */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const { attributes = {}, dims = this.dims, dtype = this.dtype } = options;
    return this.graph.node({ operator, inputs, attributes, dims, dtype });
  }

  /** A constant number, of the operation's dtype. */
  number(value: number): string {
    return this.graph.constant([value], [], this.dtype);
  }
}

/** How an operation is written: adds nodes, and gives the name of the last one's output. */
export type Exporter = (call: ExportCall) => string;
