import { Momentum, SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import { type Generator, type Tensor, tidy } from '@firelight/tensor';
import { TrainStep } from '../../packages/nn/src/training/train-step.ts';
import { networkOf } from './networks.ts';
import { type Network, RECIPE } from './workloads.ts';

type Step = (images: Tensor, labels: Tensor) => number;

/** A training step of a network on a batch; it returns the loss. */
export function trainingStep(given: Network, generator: Generator): Step {
  const network = networkOf(given, generator);
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = new Momentum(network.parameters(), given.training);
  return (images, labels) =>
    tidy(() => {
      const loss = lossFn.forward(network.forward(images), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
}

/** A step as `Model.train` takes it in `npm run train`, with all that it checks on the way. */
export function recipeStep(recipe: Network, generator: Generator): Step {
  const network = networkOf(recipe, generator).train();
  const step = new TrainStep({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({
      sparse: true,
      reduction: 'mean',
      labelSmoothing: RECIPE['label-smoothing'],
    }),
    optimizer: new Momentum(network.parameters(), recipe.training),
    clipNorm: RECIPE['clip-norm'] ?? null,
    accumulationSteps: 1,
  });
  step.begin();
  return (images, labels) => step.run(images, labels, 'benchmark').loss;
}
