import {
  cast,
  DTypeError,
  defaultGenerator,
  FirelightError,
  isGradEnabled,
  ShapeError,
  type Tensor,
  tidy,
  ValueError,
} from '@firelight/tensor';
import { asAnyTensor, formatShape, quote, quoteSome } from '@firelight/tensor/extend';
import type { Module } from '../../module/module.ts';
import { describeNode, type OnnxNode, type OnnxValue } from './model-proto.ts';
import { NamedTensors } from './named-tensors.ts';
import { MissingInput, NodeCall } from './node-call.ts';
import { OPERATORS } from './operators.ts';

/** What a network is made of; `importOnnx` reads it from a file. */
export interface OnnxProgram {
  /** What messages call the file. */
  readonly file: string;
  readonly producer: string;
  readonly opset: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** Each after those whose results it takes, with operators of `OPERATORS`. */
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Floats by name: parameters, which need gradients, and buffers. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** What is not saved: whole numbers, and what nodes hold. */
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** An input or output of an `OnnxNetwork`. */
export interface OnnxPort {
  readonly name: string;
  /** Lengths, or names of those that may be any; null if the file does not say. */
  readonly shape: readonly (number | string)[] | null;
}

/**
 * A network of an ONNX file: it runs as it is, and its weights are parameters with the names that the file
 * has for them, so it can be trained further. See `importOnnx`.
 */
export class OnnxNetwork extends NamedTensors {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Name and version of the program that wrote the file. */
  readonly producer: string;
  /** The version of ONNX's operators. */
  readonly opset: number;
  /** What the file says besides, such as names of classes. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #program: OnnxProgram;
  /** The modules that hold the weights, whose mode decides on that of their norms. */
  readonly #owners = new Map<string, Module>();
  /** Nodes whose attributes have all been looked at. */
  readonly #checked = new Set<OnnxNode>();

  /** For the library's own use; `importOnnx` makes networks. */
  constructor(program: OnnxProgram) {
    super();
    this.#program = program;
    this.inputs = program.inputs.map(({ name, shape }) => ({ name, shape }));
    this.outputs = program.outputs.map(({ name, shape }) => ({ name, shape }));
    this.producer = program.producer;
    this.opset = program.opset;
    this.metadata = program.metadata;
    for (const [name, tensor] of program.state) {
      this.#owners.set(name, this.registerNamed(name, tensor));
    }
    if (program.nodes.some(({ operator }) => operator === 'Dropout')) {
      this.registerGenerator(defaultGenerator);
    }
  }

  /**
   * The only output for the only input; networks with more have `run`.
   *
   * @throws ValueError unless the network has one of each; as `run`
   */
  override forward(x: Tensor): Tensor {
    const { inputs, outputs } = this;
    if (inputs.length !== 1 || outputs.length !== 1) {
      throw new ValueError(
        `OnnxNetwork: has inputs ${quoteSome(inputs.map(({ name }) => name))} and outputs ` +
          `${quoteSome(outputs.map(({ name }) => name))}; call run with all of them by name`,
      );
    }
    return this.run({ [inputs[0].name]: x })[outputs[0].name];
  }

  /**
   * All outputs by name.
   *
   * @param inputs all inputs by name, of the dtypes and shapes of the file; of the first axis, the batch,
   *   any length is tried
   * @throws ValueError for a missing or unknown name; ShapeError or DTypeError for another tensor than the
   *   file says; what an operation throws, beginning with the node
   */
  run(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const known = this.#program.inputs.map(({ name }) => name);
    const unknown = Object.keys(inputs).filter((name) => !known.includes(name));
    const missing = known.filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0 || missing.length > 0) {
      throw new ValueError(
        `OnnxNetwork: run needs the inputs ${quoteSome(known)}` +
          `${missing.length > 0 ? `; ${quoteSome(missing)} is missing` : ''}` +
          `${unknown.length > 0 ? `; there is no ${quoteSome(unknown)}` : ''}`,
      );
    }
    const values = new Map([...this.#program.constants, ...this.#program.state]);
    for (const port of this.#program.inputs)
      values.set(port.name, checked(port, inputs[port.name]));
    const compute = (): Record<string, Tensor> => {
      for (const node of this.#program.nodes) this.#compute(node, values);
      // `importOnnx` made sure that every output has a node or an initializer.
      return Object.fromEntries(
        this.outputs.map(({ name }) => [name, values.get(name) as Tensor] as const),
      );
    };
    return isGradEnabled() ? compute() : tidy(compute);
  }

  #compute(node: OnnxNode, values: Map<string, Tensor>): void {
    const inputs = node.inputs.map((name) => values.get(name) ?? null);
    const owner = node.inputs.map((name) => this.#owners.get(name)).find((each) => each);
    const mode = { opset: this.opset, training: (owner ?? this).training };
    const call = new NodeCall(node, inputs, mode);
    const operator = OPERATORS.get(node.operator);
    if (operator === undefined) throw this.#refused(node, 'is not known');
    let result: ReturnType<typeof operator>;
    try {
      result = operator(call);
    } catch (error) {
      if (error instanceof MissingInput) throw this.#refused(node, error.message);
      throw error instanceof FirelightError ? withNode(error, describeNode(node)) : error;
    }
    if ('reason' in result) throw this.#refused(node, `is not computed with ${result.reason}`);
    if (!this.#checked.has(node)) {
      if (call.unread.length > 0) {
        throw this.#refused(
          node,
          `has attributes that are not known here: ${quoteSome(call.unread)}`,
        );
      }
      this.#checked.add(node);
    }
    const results: readonly (Tensor | null)[] = Array.isArray(result) ? result : [result];
    for (const [i, name] of node.outputs.entries()) {
      const value = results[i] ?? null;
      if (name !== '' && value !== null) values.set(name, value);
    }
  }

  #refused(node: OnnxNode, problem: string): ValueError {
    return new ValueError(`${this.#program.file}: ${describeNode(node)} ${problem}`);
  }
}

/** The same error, of which the message begins with a node. */
function withNode(error: FirelightError, node: string): FirelightError {
  const Class = error.constructor as new (
    message: string,
    options?: ErrorOptions,
  ) => FirelightError;
  return new Class(`${node}: ${error.message}`, { cause: error });
}

/** An input as it is computed with. */
function checked({ name, type, shape }: OnnxValue, given: Tensor): Tensor {
  const x = asAnyTensor('OnnxNetwork', name, given);
  const isRight =
    shape === null ||
    (x.rank === shape.length &&
      shape.every((length, i) => i === 0 || typeof length === 'string' || length === x.shape[i]));
  if (!isRight) {
    throw new ShapeError(
      `OnnxNetwork: input ${quote(name)} must be [${shape.join(', ')}], got ${formatShape(x.shape)}`,
    );
  }
  if (type === undefined || x.dtype === type.dtype) return x;
  // Labels and positions may be of any integers.
  if (type.dtype === 'int32' && (x.dtype === 'int64' || x.dtype === 'uint32')) {
    return cast(x, 'int32');
  }
  throw new DTypeError(`OnnxNetwork: input ${quote(name)} must be ${type.dtype}, got ${x.dtype}`);
}
