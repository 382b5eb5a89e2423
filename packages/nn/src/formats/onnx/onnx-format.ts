import { firstBytes, lazyTensors } from '@firelight/tensor/formats';
import type { CheckpointFormat } from '../../checkpoint/format.ts';
import { heldTensors } from './held-tensors.ts';
import { readModel } from './model-proto.ts';

/** The key of the version of a file's format, an integer, which all programs write first. */
const VERSION_KEY = 0x08;
/** Versions are small; later ones are far off. */
const MOST_VERSION = 0x1f;
/** Keys of what may come next: producer, domain, version, graph, opset or metadata. */
const NEXT_KEYS = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72];

/** The weights of an ONNX file, `.onnx`, by the names that nodes have for them; see also `importOnnx`. */
export const ONNX = {
  name: 'onnx',
  extensions: ['.onnx'],

  recognise(source) {
    const [key, version, next] = firstBytes(source, 3);
    return key === VERSION_KEY && version <= MOST_VERSION && NEXT_KEYS.includes(next);
  },

  read(source) {
    const model = readModel(source);
    const { tensors, constants } = heldTensors(model, source);
    const weights = [...tensors].filter(([name]) => !constants.has(name));
    return {
      tensors: lazyTensors(Object.fromEntries(weights), (_, tensor) => tensor.read()),
      metadata: Object.fromEntries(model.metadata),
      isForeign: true,
    };
  },
} satisfies CheckpointFormat;
