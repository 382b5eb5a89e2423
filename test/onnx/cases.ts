import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Tensor } from '@firelight/tensor';
import { bytesSource } from '@firelight/tensor/formats';
import { Message } from '../../packages/nn/src/formats/onnx/message.ts';
import { readTensorProto } from '../../packages/nn/src/formats/onnx/tensor-proto.ts';

/** A tensor and the name that ONNX has for the type of its elements. */
export interface TypedTensor {
  readonly type: string;
  readonly tensor: Tensor;
}

/** A model, mostly of one node, with inputs and what it must give, by names. */
export interface OnnxCase {
  readonly name: string;
  /** The operator, or several joined by '+', where the model has more nodes than one. */
  readonly operator: string;
  readonly model: Uint8Array;
  /** Null stands for tensors of types that are not read here, and for what is no tensor. */
  readonly inputs: Readonly<Record<string, TypedTensor | null>>;
  readonly outputs: Readonly<Record<string, TypedTensor | null>>;
}

function tensorOf(bytes: Uint8Array | undefined): TypedTensor | null {
  if (bytes === undefined) return null;
  try {
    const proto = readTensorProto(new Message(bytesSource(bytes, { name: 'case' })));
    return { type: proto.type.name, tensor: proto.read() };
  } catch {
    return null;
  }
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

/** All cases of an archive of ONNX's node tests. */
export function readCases(path: string): OnnxCase[] {
  const files = filesOf(path);
  const models = [...files].filter(([file]) => file.endsWith('/model.onnx')).sort();
  return models.map(([file, model]) => {
    const folder = file.slice(0, -'/model.onnx'.length);
    const graph = new Message(bytesSource(model, { name: folder })).message(7);
    const named = (field: number, kind: string) => {
      const names = graph?.messages(field).map((value) => value.text(1)) ?? [];
      const read = (i: number): TypedTensor | null =>
        tensorOf(files.get(`${folder}/test_data_set_0/${kind}_${i}.pb`));
      return Object.fromEntries(names.map((name, i) => [name, read(i)]));
    };
    const nodes = graph?.messages(1) ?? [];
    return {
      name: folder.slice(folder.indexOf('test_') + 'test_'.length),
      operator: nodes.map((node) => node.text(4)).join('+'),
      model,
      inputs: named(11, 'input'),
      outputs: named(12, 'output'),
    };
  });
}
