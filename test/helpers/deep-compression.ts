import { readFileSync } from 'node:fs';
import type { SqueezeNet } from '@firelight/nn';
import { type Tensor, tensor } from '@firelight/tensor';

const CODES = 256;

/**
 * The parameters of a network from a file of Deep Compression with 8-bit codes. It begins with the
 * number of stored weights of each convolution, and then has for each its codebook, biases, codes,
 * and how many zeros lie before each stored weight, 4 bits a number, the lower ones first.
 *
 * @param network names and shapes of the parameters, in the order of the file
 * @see songhan/SqueezeNet-Deep-Compression, decode.py
 */
export function readDeepCompression(path: string, network: SqueezeNet): Record<string, Tensor> {
  const { buffer } = new Uint8Array(readFileSync(path));
  const parameters = network.namedParameters();
  const layers = parameters.length / 2; // A weight and a bias each.
  const counts = new Uint32Array(buffer, 0, layers);
  let at = 4 * layers;
  const floats = (count: number): Float32Array => {
    const bytes = buffer.slice(at, at + 4 * count); // A copy, because it may lie at odd addresses.
    at += 4 * count;
    return new Float32Array(bytes);
  };
  const state: [string, Tensor][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const [weightName, { shape: weightShape, size }] = parameters[2 * layer];
    const [biasName, { shape: biasShape }] = parameters[2 * layer + 1];
    const codebook = floats(CODES);
    const bias = floats(biasShape[0]);
    const count = counts[layer];
    const codes = new Uint8Array(buffer, at, count);
    const gaps = new Uint8Array(buffer, at + count, Math.ceil(count / 2));
    at += codes.length + gaps.length;
    const weight = new Float32Array(size);
    let position = -1;
    for (let i = 0; i < count; i++) {
      position += 1 + ((gaps[i >> 1] >> (i % 2 === 0 ? 0 : 4)) & 15);
      weight[position] = codebook[codes[i]];
    }
    state.push([weightName, tensor(weight, { shape: weightShape })]);
    state.push([biasName, tensor(bias, { shape: biasShape })]);
  }
  if (at !== buffer.byteLength)
    throw new Error(`${path}: ${buffer.byteLength - at} bytes are left`);
  return Object.fromEntries(state);
}
