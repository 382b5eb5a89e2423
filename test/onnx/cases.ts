import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type FloatFormat, FORMATS, numberOf } from '../helpers/halves.ts';
import { fieldsOf, floatsOf, integersOf, messagesOf, textsOf } from './protobuf.ts';

/** Elements as numbers, with the name of their type. */
export interface OnnxTensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

type Attribute = number | string | readonly number[] | OnnxTensor;

/** One node with its inputs and what it must give. */
export interface OnnxCase {
  readonly name: string;
  /** The operator, or several joined by '+', where the model has more nodes than one. */
  readonly operator: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** In the order of the node; null for one that is left out. */
  readonly inputs: readonly (OnnxTensor | null)[];
  /** In the order of the node; null for one that nobody asks for. */
  readonly outputs: readonly (OnnxTensor | null)[];
  readonly opset: number;
}

const halves =
  (format: FloatFormat) =>
  (bytes: ArrayBuffer): number[] =>
    Array.from(new Uint16Array(bytes), (bits) => numberOf(bits, format));

/** Names and readers of element types, by ONNX's numbers. */
const TYPES: Readonly<
  Record<number, readonly [string, ((bytes: ArrayBuffer) => number[]) | null]>
> = {
  1: ['float32', (bytes) => [...new Float32Array(bytes)]],
  2: ['uint8', (bytes) => [...new Uint8Array(bytes)]],
  3: ['int8', (bytes) => [...new Int8Array(bytes)]],
  4: ['uint16', (bytes) => [...new Uint16Array(bytes)]],
  5: ['int16', (bytes) => [...new Int16Array(bytes)]],
  6: ['int32', (bytes) => [...new Int32Array(bytes)]],
  7: ['int64', (bytes) => Array.from(new BigInt64Array(bytes), Number)],
  9: ['bool', (bytes) => [...new Uint8Array(bytes)]],
  10: ['float16', halves(FORMATS.float16)],
  11: ['float64', (bytes) => [...new Float64Array(bytes)]],
  12: ['uint32', (bytes) => [...new Uint32Array(bytes)]],
  13: ['uint64', (bytes) => Array.from(new BigUint64Array(bytes), Number)],
  16: ['bfloat16', halves(FORMATS.bfloat16)],
};

function tensorOf(bytes: Uint8Array): OnnxTensor {
  const fields = fieldsOf(bytes);
  const shape = integersOf(fields, 1);
  const [code] = integersOf(fields, 2);
  const [type, read] = TYPES[code] ?? [`type ${code}`, null];
  const [raw] = messagesOf(fields, 9);
  if (raw !== undefined && read !== null) return { type, shape, values: read(raw.slice().buffer) };
  const doubles = messagesOf(fields, 10).flatMap((part) => [
    ...new Float64Array(part.slice().buffer),
  ]);
  const integers = [5, 7, 11].flatMap((number) => integersOf(fields, number));
  return { type, shape, values: [...floatsOf(fields, 4), ...integers, ...doubles] };
}

function attributeOf(bytes: Uint8Array): [name: string, value: Attribute] {
  const fields = fieldsOf(bytes);
  const [name] = textsOf(fields, 1);
  const [kind] = integersOf(fields, 20);
  const value: Readonly<Record<number, () => Attribute>> = {
    1: () => floatsOf(fields, 2)[0] ?? 0,
    2: () => integersOf(fields, 3)[0] ?? 0,
    3: () => textsOf(fields, 4)[0] ?? '',
    4: () => tensorOf(messagesOf(fields, 5)[0]),
    6: () => floatsOf(fields, 7),
    7: () => integersOf(fields, 8),
  };
  return [name, value[kind]?.() ?? `attribute of kind ${kind}`];
}

/** The files of a tar archive that was packed by gzip, by their paths. */
function filesOf(path: string): Map<string, Uint8Array> {
  const archive = new Uint8Array(gunzipSync(readFileSync(path)));
  const files = new Map<string, Uint8Array>();
  const textAt = (start: number, length: number): string =>
    new TextDecoder().decode(archive.subarray(start, start + length)).split('\0')[0];
  for (let at = 0; at < archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(textAt(at + 124, 12), 8);
    if (textAt(at + 156, 1) === '0') {
      files.set(textAt(at, 100), archive.subarray(at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** The values of a node's inputs or outputs, of which the graph has those that are not left out. */
function placed(
  names: readonly string[],
  graph: readonly string[],
  read: (index: number) => OnnxTensor | null,
): (OnnxTensor | null)[] {
  return names.map((name) => (name === '' ? null : read(graph.indexOf(name))));
}

/** All cases of an archive of ONNX's node tests. */
export function readCases(path: string): OnnxCase[] {
  const files = filesOf(path);
  const models = [...files.keys()].filter((file) => file.endsWith('/model.onnx')).sort();
  return models.map((file) => {
    const folder = file.slice(0, -'/model.onnx'.length);
    const model = fieldsOf(files.get(file) as Uint8Array); // A key of the map.
    const graph = fieldsOf(messagesOf(model, 7)[0]);
    const nodes = messagesOf(graph, 1).map(fieldsOf);
    const [node] = nodes;
    const namesIn = (number: number): string[] =>
      messagesOf(graph, number).map((value) => textsOf(fieldsOf(value), 1)[0]);
    const reader = (kind: string) => (index: number) => {
      const bytes = files.get(`${folder}/test_data_set_0/${kind}_${index}.pb`);
      return bytes === undefined ? null : tensorOf(bytes);
    };
    return {
      name: folder.slice(folder.indexOf('test_') + 'test_'.length),
      operator: nodes.map((fields) => textsOf(fields, 4)[0]).join('+'),
      attributes: Object.fromEntries(messagesOf(node, 5).map(attributeOf)),
      inputs: placed(textsOf(node, 1), namesIn(11), reader('input')),
      outputs: placed(textsOf(node, 2), namesIn(12), reader('output')),
      opset: Math.max(0, ...messagesOf(model, 8).flatMap((set) => integersOf(fieldsOf(set), 2))),
    };
  });
}
