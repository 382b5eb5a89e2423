import { type DType, full, type Shape, ValueError } from '@firelight/tensor';
import { NdArray, sameShape } from '@firelight/tensor/extend';
import type { Module } from '../../../module/module.ts';
import { BATCHES, type Dim, dimsOf } from './dims.ts';
import type { BuiltTensor } from './graph-builder.ts';
import { type Origin, type Trace, trace } from './trace.ts';

/** One operation of a network, for batches of any length. */
interface ProgramCall {
  readonly op: string;
  readonly attributes: unknown;
  readonly inputs: readonly (Origin | null)[];
  readonly dims: readonly Dim[];
  readonly dtype: DType;
  readonly path: string;
}

/** What a network computes, for batches of any length. */
export interface Program {
  readonly calls: readonly ProgramCall[];
  readonly inputDims: readonly Dim[];
  readonly output: Origin;
}

/** What a network is run with to see what it computes. */
export interface ProgramInput {
  readonly shape: Shape;
  readonly dtype: 'float32' | 'int32';
  /** Whether the first length of the shape may be any. */
  readonly dynamicBatch: boolean;
}

/**
 * What a network computes, seen by running it in evaluation mode: twice where the batch may be of any
 * length, with different images, so that what depends on either tells itself.
 *
 * @throws ValueError for a network whose operations would be others for another batch
 */
export function programOf(network: Module, { shape, dtype, dynamicBatch }: ProgramInput): Program {
  const run = (batch: number, value: number): Trace => {
    const filled = dtype === 'int32' ? 0 : value;
    return trace(network, full([batch, ...shape.slice(1)], filled, { dtype }));
  };
  const restoreModes = network.saveModes();
  network.eval();
  try {
    if (!dynamicBatch) {
      const only = run(shape[0], 0.5);
      return merged(only, only, [...shape]);
    }
    const [first, second] = [run(BATCHES[0], 0.5), run(BATCHES[1], 0.25)];
    return merged(first, second, [{ batches: 1 }, ...shape.slice(1)]);
  } finally {
    restoreModes();
  }
}

function merged(first: Trace, second: Trace, inputDims: readonly Dim[]): Program {
  const { calls, output } = first;
  if (calls.length !== second.calls.length) {
    throw varies(`it computes ${calls.length} and ${second.calls.length} operations`);
  }
  return {
    inputDims,
    output,
    calls: calls.map((call, i): ProgramCall => {
      const other = second.calls[i];
      const where = `${call.op}${call.path === '' ? '' : ` in '${call.path}'`}`;
      const dims = dimsOf(call.shape, other.shape);
      const isSame = call.op === other.op && keyOf(call.attributes) === keyOf(other.attributes);
      if (!isSame || dims === null) throw varies(`${where} is another operation`);
      if (!call.inputs.every((input, at) => sameOrigin(input, other.inputs[at]))) {
        throw varies(`${where} has an operand that is not computed by operations`);
      }
      const { op, attributes, inputs, dtype, path } = call;
      return { op, attributes, inputs, dims, dtype, path };
    }),
  };
}

function varies(what: string): ValueError {
  return new ValueError(
    `exportOnnx: ${what} when the batch or the images are others, so no file is right for all; with ` +
      'dynamicBatch: false it is written for the batch of inputShape alone',
  );
}

/** Attributes that say the shape of the output, which is known without them. */
const SHAPES = ['shape', 'outputShape'];

/** Attributes as text, without arrays and the shape of the output, which may follow the batch. */
function keyOf(attributes: unknown): string {
  return JSON.stringify(attributes, (name, value: unknown) =>
    SHAPES.includes(name) || value instanceof NdArray ? undefined : value,
  );
}

function sameOrigin(a: Origin | null, b: Origin | null): boolean {
  if (a?.kind === 'constant' && b?.kind === 'constant') return sameTensor(a.tensor, b.tensor);
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameTensor(a: BuiltTensor, b: BuiltTensor): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  for (let i = 0; i < a.data.length; i++) {
    if (!Object.is(a.data[i], b.data[i])) return false;
  }
  return true;
}
