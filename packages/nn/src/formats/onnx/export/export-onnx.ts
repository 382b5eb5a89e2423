import { type Shape, type Tensor, ValueError } from '@firelight/tensor';
import {
  expectBoolean,
  expectShape,
  expectThat,
  quoteSome,
  readOptions,
} from '@firelight/tensor/extend';
import type { Module } from '../../../module/module.ts';
import { ExportCall, type Operand } from './export-call.ts';
import { EXPORTERS } from './exporters.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { GraphBuilder } from './graph-builder.ts';
import { joinBias } from './join-bias.ts';
import { type Program, programOf } from './program.ts';
import type { Origin } from './trace.ts';
import { writeModel } from './write-model.ts';

/** For what, and how, a network is written to an ONNX file. */
export interface ExportOnnxOptions {
  /** Shape of the input with the batch, such as `[1, 3, 224, 224]`. */
  readonly inputShape: Shape;
  /** `'int32'` for a network that begins with an embedding; `'float32'` by default. */
  readonly inputDType?: 'float32' | 'int32';
  /** Whether the first length of the shape may be any when the file is run; true by default. */
  readonly dynamicBatch?: boolean;
  /** Whether batch norms behind convolutions become part of them; false by default. */
  readonly foldBatchNorm?: boolean;
  /** `'input'` by default. */
  readonly inputName?: string;
  /** `'output'` by default. */
  readonly outputName?: string;
  /** Names of the classes in their order; `metadata_props` have them as JSON. */
  readonly classes?: readonly string[];
  /** What is taken off each channel of the images before, as JSON in `metadata_props`. */
  readonly mean?: readonly number[];
  /** What each channel is divided by then, as JSON in `metadata_props`. */
  readonly std?: readonly number[];
  /** What else `metadata_props` say. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The bytes of an ONNX file (IR 8, opset 17) that computes what the network does in evaluation mode.
 *
 * The network is run on small batches to see which operations it computes, so any `forward` will do that
 * is made of operations. Parameters and buffers keep their names, nodes have those of their modules, and the
 * shape of everything between is written. A momentum of batch norms is not: ONNX's default is ours.
 *
 * @throws ValueError for an operation that has no operator, and for a network that computes something else
 *   for another batch; what `forward` throws for the input
 */
export function exportOnnx(network: Module, options: ExportOnnxOptions): Uint8Array {
  const {
    inputShape: shape,
    inputDType: dtype = 'float32',
    dynamicBatch = true,
    foldBatchNorm: folds = false,
    inputName = 'input',
    outputName = 'output',
  } = readOptions('exportOnnx', options, [
    'inputShape',
    'inputDType',
    'dynamicBatch',
    'foldBatchNorm',
    'inputName',
    'outputName',
    'classes',
    'mean',
    'std',
    'metadata',
  ]);
  expectShape('exportOnnx', shape);
  expectBoolean('exportOnnx', 'dynamicBatch', dynamicBatch);
  expectBoolean('exportOnnx', 'foldBatchNorm', folds);
  const state = new Map([...network.namedParameters(), ...network.namedBuffers()]);
  const isFree = (name: string): boolean => name !== '' && !state.has(name);
  const rule = 'a name that no parameter or buffer has';
  expectThat(isFree(inputName), 'exportOnnx', 'inputName', rule, inputName);
  const isOther = isFree(outputName) && outputName !== inputName;
  expectThat(isOther, 'exportOnnx', 'outputName', `${rule}, nor the input`, outputName);
  const program = programOf(network, { shape, dtype, dynamicBatch });
  expectExporters(program);
  const graph = new GraphBuilder(inputName, [inputName, outputName, ...state.keys()]);
  const input = { name: inputName, dims: program.inputDims, dtype };
  const last = addCalls(graph, program, input, state);
  if (folds) foldBatchNorm(graph, last.name);
  joinBias(graph, last.name);
  const output = graph.output(last, outputName);
  return writeModel({
    name: network.constructor.name,
    nodes: graph.nodes,
    initializers: graph.usedInitializers(),
    input,
    output,
    values: graph.values,
    metadata: metadataOf(options),
  });
}

function expectExporters({ calls }: Program): void {
  const unknown = [...new Set(calls.map(({ op }) => op))].filter((op) => !EXPORTERS.has(op));
  if (unknown.length === 0) return;
  throw new ValueError(
    `exportOnnx: the network computes ${quoteSome(unknown.sort())}, which cannot be written to ONNX yet`,
  );
}

/** Adds nodes for all calls. @returns what the network gives */
function addCalls(
  graph: GraphBuilder,
  { calls, output }: Program,
  input: Operand,
  state: ReadonlyMap<string, Tensor>,
): Operand {
  const results: Operand[] = [];
  const operandOf = (origin: Origin): Operand => {
    switch (origin.kind) {
      case 'input':
        return input;
      case 'call':
        return results[origin.index];
      case 'constant': {
        const { shape: dims, dtype } = origin.tensor;
        return { name: graph.held(origin.tensor), dims, dtype };
      }
      case 'state': {
        const { array } = state.get(origin.name) as Tensor; // The trace has it from there.
        const { dtype, shape, data } = array;
        return { name: graph.state(origin.name, { dtype, shape, data }), dims: shape, dtype };
      }
    }
  };
  for (const { op, attributes, inputs, dims, dtype, path } of calls) {
    graph.path = path;
    const operands = inputs.map((origin) => origin && operandOf(origin));
    const call = new ExportCall(graph, { op, dims, dtype, attributes }, operands);
    const exporter = EXPORTERS.get(op);
    if (exporter !== undefined) results.push({ name: exporter(call), dims, dtype });
  }
  graph.path = '';
  return operandOf(output);
}

function metadataOf({ classes, mean, std, metadata = {} }: ExportOnnxOptions): Map<string, string> {
  const entries = Object.entries({ classes, mean, std }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, JSON.stringify(value)] as const],
  );
  return new Map([...entries, ...Object.entries(metadata)]);
}
