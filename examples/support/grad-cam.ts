import type { Image } from '@firelight/data';
import type { Module } from '@firelight/nn';
import {
  argmax,
  gradients,
  mean,
  mul,
  oneHot,
  relu,
  sum,
  type Tensor,
  ValueError,
} from '@firelight/tensor';

/** Where a network looks, and what it says. */
interface GradCam {
  /** How much each place of the layer speaks for the class, `[N, h, w]`, from 0 on. */
  readonly heat: Tensor;
  readonly logits: Tensor;
}

/**
 * Grad-CAM: relu(Σ_k α_k A_k), where A_k are the channels of a layer's output and α_k the mean over
 * all places of the gradient of the class's logit by A_k.
 *
 * @param layer full name of a module whose output is `[N, C, h, w]`
 * @param x `[N, C, H, W]`
 * @param labels the class of each image; by default that with the largest logit
 * @throws ValueError for a layer that there is not, or whose output has no places
 * @see Selvaraju et al., "Grad-CAM", arXiv:1610.02391, section 3
 */
export function gradCam(network: Module, layer: string, x: Tensor, labels?: Tensor): GradCam {
  const outputs: Tensor[] = [];
  const remove = network.getSubmodule(layer).onForward(({ output }) => void outputs.push(output));
  const input = x.detach();
  input.requiresGrad = true; // So that a frozen network has gradients inside, too.
  let logits: Tensor;
  try {
    logits = network.forward(input);
  } finally {
    remove();
  }
  const activation = outputs.at(-1);
  if (activation?.rank !== 4) {
    throw new ValueError(`gradCam: the output of '${layer}' must be images, [N, C, H, W]`);
  }
  const gradient = oneHot(labels ?? argmax(logits, 1), logits.shape[1]);
  const [slopes] = gradients(logits, [activation], { gradient });
  const weights = mean(slopes, [2, 3], { keepDims: true });
  return { heat: relu(sum(mul(weights, activation), 1)), logits };
}

/**
 * A picture in grey under colours from blue, where the heat is 0, to red, where it is largest.
 *
 * @param picture `[H, W, 3]`, bytes
 * @param heat `[H, W, 1]`, from 0 on
 */
export function overlay(picture: Image, heat: Image): Image {
  const { data } = picture;
  const most = Array.from(heat.data).reduce((largest, value) => Math.max(largest, value), 0);
  const mixed = new Uint8Array(data.length);
  heat.data.forEach((value, pixel) => {
    const colour = colourOf(most === 0 ? 0 : value / most);
    const [red, green, blue] = data.subarray(3 * pixel, 3 * pixel + 3);
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    for (let c = 0; c < 3; c++) mixed[3 * pixel + c] = Math.round((grey + 255 * colour[c]) / 2);
  });
  return { ...picture, data: mixed };
}

/** Red, green and blue, from 0 to 1, of a share: blue, cyan, yellow, red. */
function colourOf(share: number): readonly number[] {
  return [3, 2, 1].map((peak) => Math.min(1, Math.max(0, 1.5 - Math.abs(4 * share - peak))));
}
