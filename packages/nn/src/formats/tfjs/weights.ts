import { cast, type Shape, Tensor } from '@firelight/tensor';
import { elementCount, formatShape, NdArray, quote } from '@firelight/tensor/extend';
import {
  type ByteSource,
  bytesSource,
  byteWidth,
  joinBytes,
  lazyTensors,
  readElements,
} from '@firelight/tensor/formats';
import { CheckpointError } from '../../core/errors.ts';
import { isRecord } from '../../core/schema.ts';
import type { StateDict } from '../../module/module.ts';
import type { WeightGroup } from './model-json.ts';

/** Safetensors' names of the element types that weights have in TensorFlow.js. */
const ELEMENT_TYPE_NAMES: ReadonlyMap<unknown, string> = new Map([
  ['float32', 'F32'],
  ['int32', 'I32'],
  ['bool', 'BOOL'],
  ['uint8', 'U8'],
  ['uint16', 'U16'],
  ['float16', 'F16'],
]);

const MAX_AXES = 32;

/** A weight and where it lies in the bytes of its group. */
interface Entry {
  readonly shape: Shape;
  readonly type: string;
  /** value = stored · scale + min, where it was made smaller so; null where it was not. */
  readonly quantization: { readonly scale: number; readonly min: number } | null;
  readonly start: number;
  readonly end: number;
  readonly group: ByteSource;
}

/** Opens the file that a path of the manifest means. */
export type OpenShard = (path: string) => Promise<Uint8Array>;

/**
 * The weights of a layers-model by their names, decoded when they are asked for.
 *
 * @throws the source's error if the files do not have the bytes that the manifest says
 */
export async function readWeights(
  source: ByteSource,
  groups: readonly WeightGroup[],
  open: OpenShard,
): Promise<StateDict> {
  const entries: Record<string, Entry> = Object.create(null);
  for (const { paths, weights } of groups) {
    const shards = await Promise.all(paths.map((path) => open(path)));
    const bytes = bytesSource(joinBytes(shards), { name: source.name, error: CheckpointError });
    let at = 0;
    for (const description of weights) {
      const [name, entry] = checkWeight(source, description, bytes, at);
      if (name in entries)
        throw source.error(`has two weights ${quote(name)}; save the model again`);
      entries[name] = entry;
      at = entry.end;
    }
    if (at !== bytes.size) {
      throw source.error(
        `needs ${at} bytes in ${paths.map(quote).join(', ')} and they have ${bytes.size}; take the files ` +
          'that were saved with it',
      );
    }
  }
  return lazyTensors(entries, decode);
}

function checkWeight(
  source: ByteSource,
  description: unknown,
  group: ByteSource,
  start: number,
): [string, Entry] {
  const { name, shape, dtype, quantization } = isRecord(description) ? description : {};
  const isShaped =
    Array.isArray(shape) &&
    shape.length <= MAX_AXES &&
    shape.every((length) => Number.isSafeInteger(length) && length >= 0);
  if (typeof name !== 'string' || !isShaped) {
    throw source.error(
      'a weight of the weightsManifest has no name and shape that could be right; save the model again',
    );
  }
  const { dtype: stored, scale = 1, min = 0 } = isRecord(quantization) ? quantization : { dtype };
  const type = ELEMENT_TYPE_NAMES.get(stored);
  if (type === undefined || typeof scale !== 'number' || typeof min !== 'number') {
    throw source.error(
      `weight ${quote(name)} has dtype ${quote(String(stored))}; supported are ` +
        `${[...ELEMENT_TYPE_NAMES.keys()].join(', ')}; convert the model again`,
    );
  }
  const end = start + elementCount(shape) * byteWidth(type);
  if (!(end <= group.size)) {
    throw source.error(
      `weight ${quote(name)} of shape ${formatShape(shape)} ends at byte ${end} of its files, which have ` +
        `${group.size}; take the files that were saved with it`,
    );
  }
  const isScaled = isRecord(quantization) && stored !== 'float16';
  return [name, { shape, type, quantization: isScaled ? { scale, min } : null, start, end, group }];
}

function decode(name: string, { shape, type, quantization, start, end, group }: Entry): Tensor {
  const bytes = group.bytes(start, end);
  const { data, dtype } = readElements(group, `weight ${quote(name)}`, type, bytes);
  if (quantization === null) {
    const read = new Tensor(NdArray.fromTypedArray(data, shape, dtype));
    return dtype === 'float16' ? cast(read, 'float32') : read;
  }
  const { scale, min } = quantization;
  const values = Float32Array.from(data, (value) => value * scale + min);
  return new Tensor(NdArray.fromTypedArray(values, shape, 'float32'));
}
