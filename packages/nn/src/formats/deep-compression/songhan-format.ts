import { Tensor } from '@firelight/tensor';
import { elementCount, formatShape, NdArray, quote } from '@firelight/tensor/extend';
import { type ByteSource, firstBytes, lazyTensors } from '@firelight/tensor/formats';
import type { CheckpointFormat } from '../../checkpoint/format.ts';
import { fireDimensions } from '../../models/fire-dimensions.ts';

/**
 * The file of SqueezeNet 1.0 that was published with Deep Compression: pruned weights that share 256
 * values in each layer. It has no header; what stands where follows from the network:
 *
 * 1. for each of the 26 convolutions the number of stored weights (uint32);
 * 2. for each convolution its codebook (256 float32), its biases (float32), the codes of the stored
 *    weights (uint8), and how many zeros lie before each of them (4 bits each, the lower ones first).
 *
 * More than 15 zeros in a row are bridged by stored zeros. All of it is little-endian.
 *
 * @see songhan/SqueezeNet-Deep-Compression, decode.py; Han et al., arXiv:1510.00149, section 2
 */

const CODES = 256;
const FLOAT_BYTES = 4;
const COUNT_BYTES = 4;
const MAX_GAP = 15;
const CLASSES = 1000;

interface Layer {
  /** As in Caffe's description of the network. */
  readonly name: string;
  /** Of the weights, `[outChannels, inChannels, kH, kW]`. */
  readonly shape: readonly number[];
}

/** The convolutions in the order of the file, which is that of the network. */
const LAYERS: readonly Layer[] = convolutions();
const HEADER_BYTES = COUNT_BYTES * LAYERS.length;

function convolutions(): Layer[] {
  const layers: Layer[] = [{ name: 'conv1', shape: [96, 3, 7, 7] }];
  let channels = 96;
  fireDimensions().forEach(({ squeeze, expand1x1, expand3x3 }, i) => {
    const fire = `fire${i + 2}`;
    layers.push(
      { name: `${fire}/squeeze1x1`, shape: [squeeze, channels, 1, 1] },
      { name: `${fire}/expand1x1`, shape: [expand1x1, squeeze, 1, 1] },
      { name: `${fire}/expand3x3`, shape: [expand3x3, squeeze, 3, 3] },
    );
    channels = expand1x1 + expand3x3;
  });
  return [...layers, { name: 'conv10', shape: [CLASSES, channels, 1, 1] }];
}

/** Where the parts of a convolution begin, in bytes. */
interface StoredLayer extends Layer {
  readonly count: number;
  readonly codebook: number;
  readonly bias: number;
  readonly codes: number;
  readonly gaps: number;
  readonly end: number;
}

/** How many weights each convolution stores; null if a number is one that none of this network can be. */
function countsOf(source: ByteSource): number[] | null {
  const header = firstBytes(source, HEADER_BYTES);
  if (header.length < HEADER_BYTES) return null;
  const view = new DataView(header.buffer, header.byteOffset);
  const counts = LAYERS.map((_, i) => view.getUint32(COUNT_BYTES * i, true));
  const areRight = LAYERS.every(
    ({ shape }, i) => counts[i] > 0 && counts[i] <= elementCount(shape),
  );
  return areRight ? counts : null;
}

function layoutOf(counts: readonly number[]): StoredLayer[] {
  let at = HEADER_BYTES;
  return LAYERS.map((layer, i) => {
    const codebook = at;
    const bias = codebook + FLOAT_BYTES * CODES;
    const codes = bias + FLOAT_BYTES * layer.shape[0];
    const gaps = codes + counts[i];
    at = gaps + Math.ceil(counts[i] / 2);
    return { ...layer, count: counts[i], codebook, bias, codes, gaps, end: at };
  });
}

function floats(source: ByteSource, start: number, end: number): Float32Array {
  // A copy, because floats in a file may lie at any address.
  return new Float32Array(Uint8Array.from(source.bytes(start, end)).buffer);
}

function decodeWeight(source: ByteSource, layer: StoredLayer): Float32Array {
  const { name, shape, count } = layer;
  const codebook = floats(source, layer.codebook, layer.bias);
  const codes = source.bytes(layer.codes, layer.gaps);
  const gaps = source.bytes(layer.gaps, layer.end);
  const weight = new Float32Array(elementCount(shape));
  let position = -1;
  for (let i = 0; i < count; i++) {
    position += 1 + ((gaps[i >> 1] >> (4 * (i % 2))) & MAX_GAP);
    if (position >= weight.length) {
      throw source.error(
        `weight ${i} of ${quote(name)} would be element ${position} of ${formatShape(shape)}, so the ` +
          'file is damaged; fetch it again',
      );
    }
    weight[position] = codebook[codes[i]];
  }
  return weight;
}

/** Deep Compression's file of SqueezeNet 1.0; its tensors have Caffe's names, `fire2/squeeze1x1.weight`. */
export const SONGHAN: CheckpointFormat = {
  name: 'deep-compression',
  extensions: ['.net'],
  recognise: (source) => countsOf(source) !== null,

  read(source) {
    const counts = countsOf(source);
    if (counts === null) {
      throw source.error(
        'does not begin with the numbers of stored weights of SqueezeNet 1.0, so it is no file of Deep ' +
          'Compression; fetch compressed_SqueezeNet.net again',
      );
    }
    const layers = layoutOf(counts);
    const { end } = layers[layers.length - 1];
    if (end !== source.size) {
      throw source.error(
        `needs ${end} bytes for the weights that it counts and has ${source.size}, so it is ` +
          `${source.size < end ? 'cut off' : 'too long'}; fetch it again`,
      );
    }
    const entries: Record<string, { part: 'weight' | 'bias'; layer: StoredLayer }> = {};
    for (const layer of layers) {
      entries[`${layer.name}.weight`] = { part: 'weight', layer };
      entries[`${layer.name}.bias`] = { part: 'bias', layer };
    }
    const tensors = lazyTensors(entries, (_, { part, layer }) => {
      const isWeight = part === 'weight';
      const data = isWeight ? decodeWeight(source, layer) : floats(source, layer.bias, layer.codes);
      const shape = isWeight ? layer.shape : [layer.shape[0]];
      return new Tensor(NdArray.fromTypedArray(data, shape, 'float32'));
    });
    return { tensors, metadata: {}, isForeign: true, origin: 'caffe' };
  },
};
