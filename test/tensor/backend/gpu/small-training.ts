import {
  Conv2d,
  Fire,
  Flatten,
  GlobalAvgPool2d,
  MaxPool2d,
  Momentum,
  ReLU,
  Sequential,
  SoftmaxCrossEntropyWithLogits,
} from '@firelight/nn';
import { Generator, randn, tensor, tidy } from '@firelight/tensor';

/**
 * Trains a small network on made-up images, on the backend in use, and returns the losses.
 *
 * @param afterStep called with the number of steps done
 */
export async function trainSmall({
  steps,
  imageSize = 12,
  afterStep = () => {},
}: {
  readonly steps: number;
  readonly imageSize?: number;
  readonly afterStep?: (steps: number) => void;
}): Promise<number[]> {
  const generator = new Generator(5);
  const network = new Sequential([
    new Conv2d({ inChannels: 3, outChannels: 6, kernelSize: 3, padding: 1, generator }),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2, stride: 2 }),
    new Fire({
      inChannels: 6,
      squeezeChannels: 3,
      expand1x1Channels: 4,
      expand3x3Channels: 6,
      generator,
    }),
    new Conv2d({ inChannels: 10, outChannels: 4, kernelSize: 1, generator }),
    new GlobalAvgPool2d(),
    new Flatten(),
  ]);
  const optimizer = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const images = randn([8, 3, imageSize, imageSize], { generator });
  const labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i % 4));
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    tidy(() => {
      const loss = lossFn.forward(network.forward(images), labels);
      losses.push(loss.item());
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
    afterStep(step);
    // Finalizers run and a page lives only when the event loop turns.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return losses;
}
