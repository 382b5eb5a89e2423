import { readFileSync } from 'node:fs';
import { Cifar10, syntheticCifar10 } from '@firelight/data';
import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, tidy } from '@firelight/tensor';
import { expect, test } from 'vitest';
import { sharedPath } from '../../helpers/shared.ts';

const IMAGES = 64;
const MOST_STEPS = 60;

const file = sharedPath('cifar-10', 'cifar-10-batches-bin', 'data_batch_1.bin');

test('SqueezeNet learns 64 images by heart', async () => {
  const bytes =
    file === null
      ? syntheticCifar10({ count: IMAGES, seed: 1 })
      : readFileSync(file).subarray(0, IMAGES * 3073);
  const dataset = Cifar10.fromBytes(bytes, { batchSize: IMAGES, shuffle: false });
  const network = new SqueezeNet({
    numClasses: 10,
    version: '1.1',
    bypass: 'simple',
    batchNorm: true,
    headRelu: false,
    dropout: 0,
    generator: new Generator(0),
  });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const optimizer = new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 });
  const losses: number[] = [];
  while (losses.length < MOST_STEPS && (losses.at(-1) ?? 1) >= 0.05) {
    for await (const { image, label } of dataset) {
      const loss = tidy(() => {
        const loss = lossFn.forward(network.forward(image), label);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item();
      });
      losses.push(loss);
    }
  }
  console.log(
    `loss ${losses[0].toFixed(3)} → ${losses.at(-1)?.toFixed(4)} in ${losses.length} steps`,
  );
  expect(losses.at(-1)).toBeLessThan(0.05);
});
