import { type DType, ValueError } from '@firelight/tensor';
import type { Dim } from './dims.ts';

/** What an attribute of a node may be; a float is told from an integer by its wrapper. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: BuiltTensor };

/** A node as it is written. */
export interface BuiltNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A named tensor of a graph and its shape. */
export interface BuiltValue {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly Dim[];
}

/** A tensor that is written with its elements. */
export interface BuiltTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** A node that is to be added; `dtype` of its output is float32 by default. */
export interface NewNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly dims: readonly Dim[];
  readonly dtype?: DType;
}

/** Collects the nodes and tensors of a graph, and names them. */
export class GraphBuilder {
  #nodes: BuiltNode[] = [];
  #values: BuiltValue[] = [];
  readonly initializers = new Map<string, BuiltTensor>();
  /** The module whose operations are being added. */
  path = '';
  readonly #input: string;
  readonly #taken: Set<string>;
  readonly #constants = new Map<string, string>();
  #batch: string | null = null;

  /** @param names those that stand for something already: of the input, output, parameters and buffers */
  constructor(input: string, names: Iterable<string>) {
    this.#input = input;
    this.#taken = new Set(names);
  }

  get nodes(): readonly BuiltNode[] {
    return this.#nodes;
  }

  /** Shapes of what nodes give, but of what the graph gives. */
  get values(): readonly BuiltValue[] {
    return this.#values;
  }

  /** Adds a node. @returns the name of its output */
  node({ operator, inputs, attributes = {}, dims, dtype = 'float32' }: NewNode): string {
    const folder = this.path === '' ? '' : `/${this.path.replaceAll('.', '/')}`;
    const name = this.#free(`${folder}/${operator}`);
    const output = `${name}_output_0`;
    this.#nodes.push({ name, operator, inputs, output, attributes });
    this.#values.push({ name: output, dtype, dims });
    return output;
  }

  /** Adds a parameter or buffer under its own name, once. */
  state(name: string, tensor: BuiltTensor): string {
    if (!this.initializers.has(name)) this.initializers.set(name, tensor);
    return name;
  }

  /** A constant of some numbers. */
  constant(data: readonly number[], shape: readonly number[], dtype: DType = 'float32'): string {
    return this.held({ dtype, shape, data });
  }

  /** Whole numbers such as a shape, as ONNX wants them: int64, in one axis. */
  integers(data: readonly number[]): string {
    return this.constant(data, [data.length], 'int64');
  }

  /** A constant; equal ones of few elements are written once. */
  held(tensor: BuiltTensor): string {
    const { dtype, shape, data } = tensor;
    // Long ones are not compared with each other.
    const key = data.length > 64 ? null : JSON.stringify([dtype, shape, Array.from(data, String)]);
    const known = key === null ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#hold(tensor);
    this.#constants.set(key ?? name, name);
    return name;
  }

  /** Floats stand in a node, since who trains the file further would take an initializer for a weight. */
  #hold(tensor: BuiltTensor): string {
    const { dtype, shape: dims } = tensor;
    if (dtype === 'float32' || dtype === 'float64') {
      return this.node({
        operator: 'Constant',
        inputs: [],
        attributes: { value: { tensor } },
        dims,
        dtype,
      });
    }
    const name = this.#free(`constant_${this.initializers.size}`);
    this.initializers.set(name, tensor);
    return name;
  }

  /** The length of the batch, as int64 in one axis. */
  batch(): string {
    const { path } = this;
    this.path = '';
    this.#batch ??= this.node({
      operator: 'Shape',
      inputs: [this.#input],
      attributes: { start: 0, end: 1 },
      dims: [1],
      dtype: 'int64',
    });
    this.path = path;
    return this.#batch;
  }

  /** A shape that nodes take as an operand. */
  shape(dims: readonly Dim[]): string {
    if (dims.every((dim) => typeof dim === 'number')) return this.integers(dims);
    const parts = dims.map((dim) => {
      if (typeof dim === 'number') return this.integers([dim]);
      if (dim.batches === 1) return this.batch();
      const inputs = [this.batch(), this.integers([dim.batches])];
      return this.node({ operator: 'Mul', inputs, dims: [1], dtype: 'int64' });
    });
    if (parts.length === 1) return parts[0];
    const attributes = { axis: 0 };
    const length = [parts.length];
    return this.node({
      operator: 'Concat',
      inputs: parts,
      attributes,
      dims: length,
      dtype: 'int64',
    });
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#taken.has(name) || this.#taken.has(`${name}_output_0`); i++) {
      name = `${wanted}_${i}`;
    }
    this.#taken.add(name);
    return name;
  }

  /** How often nodes take each tensor, and the graph gives it out. */
  uses(result: string): ReadonlyMap<string, number> {
    const uses = new Map([[result, 1]]);
    for (const { inputs } of this.#nodes) {
      for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
    }
    return uses;
  }

  /** Replaces nodes by others that give the same, or, with null, leaves them out. */
  replace(replaced: ReadonlyMap<BuiltNode, BuiltNode | null>): void {
    this.#nodes = this.#nodes.flatMap((node) => {
      const other = replaced.get(node);
      return other === undefined ? [node] : (other ?? []);
    });
    const given = new Set(this.#nodes.map(({ output }) => output));
    this.#values = this.#values.filter(({ name }) => given.has(name));
  }

  /** Gives a tensor the name under which the graph gives it out. */
  output({ name, dims, dtype }: BuiltValue, wanted: string): BuiltValue {
    const maker = this.#nodes.findIndex(({ output }) => output === name);
    if (maker === -1 || this.uses(name).get(name) !== 1) {
      const inputs = [name];
      const node = {
        name: '/Identity',
        operator: 'Identity',
        inputs,
        output: wanted,
        attributes: {},
      };
      this.#nodes.push(node);
    } else {
      this.#nodes[maker] = { ...this.#nodes[maker], output: wanted };
      this.#values = this.#values.filter((value) => value.name !== name);
    }
    return { name: wanted, dims, dtype };
  }

  /** The initializers that nodes take. */
  usedInitializers(): Map<string, BuiltTensor> {
    const used = new Set(this.#nodes.flatMap(({ inputs }) => inputs));
    return new Map([...this.initializers].filter(([name]) => used.has(name)));
  }
}

/** A dim that has to be a number. */
export function fixed(op: string, dim: Dim): number {
  if (typeof dim === 'number') return dim;
  throw new ValueError(
    `exportOnnx: ${op} works along the batch, which ONNX cannot say for all lengths; use ` +
      'dynamicBatch: false',
  );
}
