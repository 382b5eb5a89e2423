import type { DType } from '@firelight/tensor';
import { newTypedArray } from '@firelight/tensor/extend';
import { joinBytes } from '@firelight/tensor/formats';
import { bytesField, type Chunks, floatField, textField, varintField } from '../../protobuf.ts';
import { nameOfDim } from './dims.ts';
import { ELEMENT_CODES } from './element-codes.ts';
import type { AttributeValue, BuiltNode, BuiltTensor, BuiltValue } from './graph-builder.ts';

/** What is written to a file. */
export interface WrittenModel {
  readonly name: string;
  readonly nodes: readonly BuiltNode[];
  readonly initializers: ReadonlyMap<string, BuiltTensor>;
  readonly input: BuiltValue;
  readonly output: BuiltValue;
  /** Shapes of what lies between. */
  readonly values: readonly BuiltValue[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** What every tool of recent years reads. */
const IR_VERSION = 8;
const OPSET = 17;

const KINDS = { float: 1, integer: 2, text: 3, tensor: 4, integers: 7 } as const;

function attributeField([name, value]: readonly [string, AttributeValue]): Chunks {
  const payload = (): Chunks => {
    if (typeof value === 'number') return [...varintField(3, value), ...kind('integer')];
    if (typeof value === 'string') return [...textField(4, value), ...kind('text')];
    if ('tensor' in value) return [...tensorField(5, '', value.tensor), ...kind('tensor')];
    if ('float' in value) return [...floatField(2, value.float), ...kind('float')];
    return [...value.flatMap((each) => varintField(8, each)), ...kind('integers')];
  };
  return bytesField(5, [...textField(1, name), ...payload()]);
}

const kind = (name: keyof typeof KINDS): Chunks => varintField(20, KINDS[name]);

function nodeField({ name, operator, inputs, output, attributes }: BuiltNode): Chunks {
  return bytesField(1, [
    ...inputs.flatMap((input) => textField(1, input)),
    ...textField(2, output),
    ...textField(3, name),
    ...textField(4, operator),
    ...Object.entries(attributes).flatMap(attributeField),
  ]);
}

/** Elements as they lie in a file; a copy, so that the file stays as it is when weights are trained. */
function rawBytes(data: ArrayLike<number>, dtype: DType): Uint8Array {
  if (dtype === 'int64') {
    return new Uint8Array(BigInt64Array.from(Array.from(data, BigInt)).buffer);
  }
  const elements = newTypedArray(dtype, data.length);
  elements.set(data);
  return new Uint8Array(elements.buffer);
}

function tensorField(number: number, name: string, { dtype, shape, data }: BuiltTensor): Chunks {
  return bytesField(number, [
    ...shape.flatMap((length) => varintField(1, length)),
    ...varintField(2, ELEMENT_CODES[dtype]),
    ...textField(8, name),
    ...bytesField(9, [rawBytes(data, dtype)]),
  ]);
}

function valueField(number: number, { name, dtype, dims }: BuiltValue): Chunks {
  const lengths = dims.flatMap((dim) => {
    const length = nameOfDim(dim);
    return bytesField(
      1,
      typeof length === 'number' ? varintField(1, length) : textField(2, length),
    );
  });
  const tensor = [...varintField(1, ELEMENT_CODES[dtype]), ...bytesField(2, lengths)];
  return bytesField(number, [...textField(1, name), ...bytesField(2, bytesField(1, tensor))]);
}

/**
 * The bytes of an ONNX file.
 *
 * @see onnx/onnx, onnx/onnx.proto
 */
export function writeModel(model: WrittenModel): Uint8Array {
  const graph = [
    ...model.nodes.flatMap(nodeField),
    ...textField(2, model.name),
    ...[...model.initializers].flatMap(([name, tensor]) => tensorField(5, name, tensor)),
    ...valueField(11, model.input),
    ...valueField(12, model.output),
    ...model.values.flatMap((value) => valueField(13, value)),
  ];
  return joinBytes([
    ...varintField(1, IR_VERSION),
    ...textField(2, 'firelight'),
    ...bytesField(7, graph),
    ...bytesField(8, [...textField(1, ''), ...varintField(2, OPSET)]),
    ...[...model.metadata].flatMap(([key, value]) =>
      bytesField(14, [...textField(1, key), ...textField(2, value)]),
    ),
  ]);
}
