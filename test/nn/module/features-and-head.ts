import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, ReLU, Sequential } from '@firelight/nn';
import { Generator } from '@firelight/tensor';

/** Features and a head, with all that has a mode. */
export function createFeaturesAndHead(seed = 0): Sequential {
  const generator = new Generator(seed);
  const features = new Sequential([
    ['conv', new Conv2d({ inChannels: 1, outChannels: 3, kernelSize: 3, generator })],
    ['norm', new BatchNorm2d({ numFeatures: 3 })],
    ['relu', new ReLU()],
    ['dropout', new Dropout({ p: 0.5, generator })],
  ]);
  const head = new Sequential([
    ['flatten', new Flatten()],
    ['linear', new Linear({ inFeatures: 12, outFeatures: 2, generator })],
  ]);
  return new Sequential([
    ['features', features],
    ['head', head],
  ]);
}
