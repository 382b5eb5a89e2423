// SqueezeNet on CIFAR-10, all of it: images, network, learning rates, training, checkpoints, a test.
// Takes the number of training images, 5000, and of epochs, 2; real images if findCifar10 has them.
import * as data from '@firelight/data';
import * as nn from '@firelight/nn';
import { argmax, Generator } from '@firelight/tensor';
import { networkInput } from './support/cifar-input.ts';

const [count = 5000, epochs = 2] = process.argv.slice(2).map(Number);
const generator = new Generator(0);

const found = await data.findCifar10();
if (found === null) console.warn('NOT CIFAR-10: made-up patterns; put its files into ./data');
function images(split: 'train' | 'test', limit: number, augmentation: data.Transform[]) {
  const transform = new data.Compose([...augmentation, ...networkInput()]);
  const options = { split, transform, batchSize: 50, generator };
  if (found !== null) return new data.Cifar10({ ...options, path: found.path, limit });
  const seed = split === 'train' ? 1 : 2;
  return data.Cifar10.fromBytes(data.syntheticCifar10({ count: limit, seed }), options);
}
const augmentation = [new data.RandomCrop(32, { padding: 4 }), new data.RandomHorizontalFlip()];
const train = await images('train', count, augmentation).load();
const test = images('test', Math.ceil(count / 5), []);

const version = { version: '1.1', stem: 'cifar', bypass: 'simple', batchNorm: true } as const;
const network = new nn.SqueezeNet({ ...version, numClasses: 10, headRelu: false, generator });
console.log(String(nn.summary(network, [1, 3, 32, 32])));

const peak = { lrInit: 0, lrMax: 0.1, lrEnd: 0, warmupEpochs: 0.4, pretrainEpochs: 0 };
const steps = { totalEpochs: epochs, stepsPerEpoch: train.batchesPerEpoch };
const learningRate = nn.getLr({ ...peak, ...steps, lrDecayMode: 'linear' });
const step = { learningRate, momentum: 0.9, nesterov: true, weightDecay: 5e-4 };
const optimizer = new nn.Momentum(network.parameters(), step);
const lossFn = new nn.SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
const model = new nn.Model({ network, lossFn, optimizer, metrics: ['accuracy', 'loss'] });
const saving = { directory: 'runs/08-squeezenet', saveCheckpointSteps: train.batchesPerEpoch };
const callbacks = [new nn.ProgressBar(), new nn.ModelCheckpoint(saving)];
await model.train(epochs, train, { callbacks, validation: test });
console.log(await model.eval(test));

for await (const { image, label } of test) {
  const predicted = argmax(model.predict(image), 1).data;
  for (const i of [0, 1, 2, 3, 4]) {
    const [truth, guess] = [label.data[i], predicted[i]].map((c) => data.CIFAR10_CLASSES[c]);
    console.log(`${truth} is taken for ${guess}`);
  }
  break;
}
