import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { type Generator, type Tensor, tidy } from '@firelight/tensor';

/** A training step of SqueezeNet 1.0 with 10 classes on a batch; it returns the loss. */
export function trainingStep(generator: Generator): (images: Tensor, labels: Tensor) => number {
  const network = new SqueezeNet({ numClasses: 10, generator });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = new Momentum(network.parameters(), {
    learningRate: 0.01,
    momentum: 0.9,
    weightDecay: 1e-4,
  });
  return (images, labels) =>
    tidy(() => {
      const loss = lossFn.forward(network.forward(images), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
}
