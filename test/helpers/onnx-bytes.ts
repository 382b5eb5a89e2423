import { joinBytes } from '@firelight/tensor/formats';
import {
  bytesField,
  type Chunks,
  floatField,
  textField,
  varintField,
} from '../../packages/nn/src/formats/protobuf.ts';

/** A tensor of float32 (code 1) or int64 (code 7) in a file that a test writes. */
interface WrittenTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly code?: number;
  /** Instead of values: where they are. */
  readonly external?: Readonly<Record<string, string>>;
}

/** A node in a file that a test writes. */
interface WrittenNode {
  readonly operator: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
  readonly domain?: string;
}

/** What a test writes to an ONNX file. */
export interface WrittenModel {
  readonly nodes: readonly WrittenNode[];
  readonly initializers?: Readonly<Record<string, WrittenTensor>>;
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

function tensorField(number: number, name: string, tensor: WrittenTensor): Chunks {
  const { shape, values, code = 1, external } = tensor;
  const raw = code === 7 ? BigInt64Array.from(values, BigInt) : new Float32Array(values);
  const elements =
    external === undefined
      ? bytesField(9, [new Uint8Array(raw.buffer)])
      : [
          ...Object.entries(external).flatMap(([key, value]) =>
            bytesField(13, [...textField(1, key), ...textField(2, value)]),
          ),
          ...varintField(14, 1),
        ];
  return bytesField(number, [
    ...shape.flatMap((length) => varintField(1, length)),
    ...varintField(2, code),
    ...textField(8, name),
    ...elements,
  ]);
}

function attributeField(name: string, value: number | string | readonly number[]): Chunks {
  const payload =
    typeof value === 'string'
      ? [...textField(4, value), ...varintField(20, 3)]
      : typeof value !== 'number'
        ? [...value.flatMap((each) => varintField(8, each)), ...varintField(20, 7)]
        : Number.isInteger(value)
          ? [...varintField(3, value), ...varintField(20, 2)]
          : [...floatField(2, value), ...varintField(20, 1)];
  return bytesField(5, [...textField(1, name), ...payload]);
}

function valueField(number: number, name: string, shape: readonly (number | string)[]): Chunks {
  const lengths = shape.flatMap((length) =>
    bytesField(1, typeof length === 'number' ? varintField(1, length) : textField(2, length)),
  );
  const type = bytesField(1, [...varintField(1, 1), ...bytesField(2, lengths)]);
  return bytesField(number, [...textField(1, name), ...bytesField(2, type)]);
}

/** The bytes of an ONNX file with what a test needs in it. */
export function onnxBytes({
  nodes,
  initializers = {},
  inputs = { x: ['batch', 2] },
  outputs = ['y'],
  opset = 17,
}: WrittenModel): Uint8Array {
  const graph = [
    ...nodes.flatMap((node) =>
      bytesField(1, [
        ...(node.inputs ?? ['x']).flatMap((name) => textField(1, name)),
        ...(node.outputs ?? ['y']).flatMap((name) => textField(2, name)),
        ...textField(4, node.operator),
        ...Object.entries(node.attributes ?? {}).flatMap(([name, value]) =>
          attributeField(name, value),
        ),
        ...textField(7, node.domain ?? ''),
      ]),
    ),
    ...Object.entries(initializers).flatMap(([name, tensor]) => tensorField(5, name, tensor)),
    ...Object.entries(inputs).flatMap(([name, shape]) => valueField(11, name, shape)),
    ...outputs.flatMap((name) => bytesField(12, textField(1, name))),
  ];
  return joinBytes([
    ...varintField(1, 8),
    ...bytesField(7, graph),
    ...bytesField(8, varintField(2, opset)),
  ]);
}
