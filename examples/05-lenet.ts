// LeNet-5 on Fashion-MNIST. --limit N takes fewer images, --data DIR another folder.
import { parseArgs } from 'node:util';
import { FashionMnist, findFashionMnist } from '@firelight/data';
import * as nn from '@firelight/nn';
import { Generator } from '@firelight/tensor';

const { values } = parseArgs({
  options: { data: { type: 'string' }, limit: { type: 'string' }, epochs: { type: 'string' } },
});
const generator = new Generator(0);
// Files that are nowhere (Debian has them as dataset-fashion-mnist) are fetched into ./data.
const path = values.data ?? (await findFashionMnist())?.path ?? 'data';
const limit = values.limit === undefined ? {} : { limit: Number(values.limit) };
const options = { path, download: true, batchSize: 32, generator, ...limit };

const network = new nn.Sequential([
  new nn.Conv2d({ inChannels: 1, outChannels: 6, kernelSize: 5, padding: 2, generator }),
  new nn.ReLU(),
  new nn.MaxPool2d({ kernelSize: 2, stride: 2 }),
  new nn.Conv2d({ inChannels: 6, outChannels: 16, kernelSize: 5, generator }),
  new nn.ReLU(),
  new nn.MaxPool2d({ kernelSize: 2, stride: 2 }),
  new nn.Flatten(),
  new nn.Linear({ inFeatures: 400, outFeatures: 120, generator }),
  new nn.ReLU(),
  new nn.Linear({ inFeatures: 120, outFeatures: 84, generator }),
  new nn.ReLU(),
  new nn.Linear({ inFeatures: 84, outFeatures: 10, generator }),
]);
console.log(String(nn.summary(network, [1, 1, 28, 28])));

const model = new nn.Model({
  network,
  lossFn: new nn.SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
  optimizer: new nn.Momentum(network.parameters(), { learningRate: 0.01, momentum: 0.9 }),
  metrics: ['accuracy'],
});
const train = await new FashionMnist(options).load();
await model.train(Number(values.epochs ?? 2), train, { callbacks: [new nn.ProgressBar()] });
console.log(await model.eval(new FashionMnist({ ...options, split: 'test' })));
