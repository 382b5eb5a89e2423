import { Tensor } from '@firelight/tensor';
import { elementCount, newTypedArray } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import { type FileLike, nameOf, openSource } from '../open-source.ts';
import { type ExternalFiles, openExternal } from './external-data.ts';
import { expectKnownOperators, expectWhole } from './graph-checks.ts';
import { heldTensors } from './held-tensors.ts';
import { readModel } from './model-proto.ts';
import { OnnxNetwork } from './onnx-network.ts';
import type { OnnxTensor } from './tensor-proto.ts';
import { weightsOf } from './weights.ts';

/** How an ONNX file is read. */
export interface ImportOnnxOptions {
  /** What errors call it; by default its path, or the name that a browser's file has. */
  readonly name?: string;
  /**
   * Bytes of the files in which a large model keeps its tensors, by the names that it has for them. A model
   * that is opened by its path finds them in its folder.
   */
  readonly externalData?: ExternalFiles;
}

/** The operators of ONNX whose meaning is known here. */
const OPSETS = { first: 6, last: 28 } as const;

/**
 * Reads an ONNX file as a network that runs, in evaluation mode, and can be trained further: `train` makes
 * norms follow the batches and dropout drop.
 *
 * Initializers that are weights of `Conv`, `Gemm`, `MatMul`, norms, `PRelu` and `Gather`, or are added to or
 * multiplied with something, become parameters with the names of the file; running statistics and other
 * floats become buffers. Those that a program merged because they were equal, and gave back by `Identity`,
 * are parameters of their own again. Integers of 64 bits are int32 here, and floats of 16 bits float32.
 *
 * Operators of ONNX from opset 6 to 28 are known, without loops, conditions and quantization. Nothing in the
 * file is run, and no file outside of its folder is read.
 *
 * ```ts
 * const network = await importOnnx('squeezenet1_1.onnx');
 * const logits = network.forward(images);
 * ```
 *
 * @param file a path, in Node; the bytes of a file; or a browser's file
 * @throws CheckpointError if it cannot be read or is damaged; for operators that are not known, all of
 *   which are named; and for a graph that is not whole
 */
export async function importOnnx(
  file: FileLike,
  { name = nameOf(file), externalData = {} }: ImportOnnxOptions = {},
): Promise<OnnxNetwork> {
  const source = await openSource(file, name);
  const model = readModel(source);
  const opset = model.opsets.get('') ?? OPSETS.last;
  if (opset < OPSETS.first || opset > OPSETS.last) {
    throw source.error(
      `needs opset ${opset}; ${OPSETS.first} to ${OPSETS.last} are known here, so export it with one of these`,
    );
  }
  expectKnownOperators(model, source);
  const { tensors, constants: fixed, nodes } = heldTensors(model, source);
  expectWhole(model, nodes, tensors, source);
  const taken = new Set(nodes.flatMap((node) => node.inputs));
  for (const output of model.outputs) taken.add(output.name);
  const used = [...tensors].filter(([each]) => taken.has(each));
  const files = await openExternal(
    source,
    used.flatMap(([, tensor]) => tensor.external?.location ?? []),
    { path: typeof file === 'string' ? file : null, given: externalData },
  );
  expectRoom(source, used, files);

  const isState = ([each, tensor]: NamedTensor): boolean => !fixed.has(each) && isFloat(tensor);
  const floats = used.filter(isState);
  // A number alone, without an axis, is no weight.
  const candidates = floats.flatMap(([each, { shape }]) => (shape.length > 0 ? [each] : []));
  const trained = weightsOf(nodes, new Set(candidates));
  const readNamed = ([each, tensor]: NamedTensor): readonly [string, Tensor] => {
    const value = tensor.read(files.get(tensor.external?.location ?? ''));
    return [each, trained.has(each) ? new Tensor(value.array, { requiresGrad: true }) : value];
  };
  const { producer, metadata, outputs } = model;
  return new OnnxNetwork({
    file: source.name,
    producer,
    opset,
    metadata,
    nodes,
    inputs: model.inputs.filter((input) => !tensors.has(input.name)),
    outputs,
    state: new Map(floats.map(readNamed)),
    constants: new Map(used.filter((each) => !isState(each)).map(readNamed)),
  }).eval();
}

type NamedTensor = readonly [name: string, tensor: OnnxTensor];

const isFloat = ({ type }: OnnxTensor): boolean =>
  type.dtype === 'float32' || type.dtype === 'float64';

/** What tensors may take beyond four times the bytes of their files. */
const ROOM = 2 ** 26;

/** Nodes of a few bytes can each ask for one more copy of a large tensor. */
function expectRoom(
  source: ByteSource,
  tensors: readonly NamedTensor[],
  files: ReadonlyMap<string, ByteSource>,
): void {
  const room = [...files.values()].reduce(
    (sum, { size }) => sum + 4 * size,
    4 * source.size + ROOM,
  );
  const bytesOf = ({ shape, type }: OnnxTensor): number =>
    elementCount(shape) * newTypedArray(type.dtype, 0).BYTES_PER_ELEMENT;
  const bytes = tensors.reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0);
  if (bytes <= room) return;
  throw source.error(
    `asks for ${bytes} bytes of tensors, and has ${source.size} in all; it gives one tensor too many names`,
  );
}
