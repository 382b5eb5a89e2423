import { CenterCrop, type Image, Resize } from '@firelight/data';
import type { Preprocessing } from '@firelight/nn/formats';
import { type Tensor, tensor } from '@firelight/tensor';

/** A picture `[H, W, 3]` of bytes as the input `[1, 3, inputSize, inputSize]` that weights expect. */
export function imageNetInput(picture: Image, preprocessing: Preprocessing): Tensor {
  const { resizeTo, inputSize, channelOrder, scale, mean, std } = preprocessing;
  const { data } = new CenterCrop(inputSize).apply(new Resize(resizeTo).apply(picture));
  const area = inputSize ** 2;
  const input = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const from = channelOrder === 'RGB' ? channel : 2 - channel;
    for (let i = 0; i < area; i++) {
      input[channel * area + i] = (data[3 * i + from] * scale - mean[channel]) / std[channel];
    }
  }
  return tensor(input, { shape: [1, 3, inputSize, inputSize] });
}
