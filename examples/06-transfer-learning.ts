// Transfer learning: what SqueezeNet learned from the photographs of ImageNet serves to tell the ten
// classes of CIFAR-10 apart, after a look at 2,000 images. Takes flags of `npm run train`.
import * as nn from '@firelight/nn';
import { Generator } from '@firelight/tensor';
import { readImageNetWeights } from './support/imagenet-weights.ts';
import { loadCifar } from './support/load-cifar.ts';
import { parseTrainOptions } from './support/parse-train-options.ts';
import { run, warn } from './support/run.ts';

const SETTING = '--train-size 2000 --test-size 1000 --image-size 96 --no-augment --epochs 3'.split(
  ' ',
);

await run(async () => {
  const options = parseTrainOptions([...SETTING, ...process.argv.slice(2)]);
  const generator = new Generator(options.seed);
  const { train, test, source } = await loadCifar(options, generator, warn);

  // The head, final_conv, has ten classes instead of a thousand: it keeps its random weights.
  const network = new nn.SqueezeNet({ version: '1.1', numClasses: 10, headRelu: false, generator });
  const parameters = network.namedParameters();
  const names = parameters.map(([name]) => name).filter((name) => name.startsWith('features.'));
  const weights = await readImageNetWeights(names);
  if (weights === null) warn('NOT IMAGENET: its weights are not here, so the features are random');
  else nn.loadParamIntoNet(network, weights, { strict: false });

  // What is frozen gets no gradient, so a step goes back through the head alone.
  network.freeze('features.**');
  console.log(nn.summary(network, [1, 3, 96, 96]).toString().split('\n').at(-1));

  const model = new nn.Model({
    network,
    lossFn: new nn.SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new nn.Adam(network.parameters(), { learningRate: 0.002 }),
  });
  console.log(`before: ${(100 * Number((await model.eval(test)).accuracy)).toFixed(1)} % right`);
  await model.train(options.epochs, train, { callbacks: [new nn.ProgressBar()] });
  console.log(
    `after: ${(100 * Number((await model.eval(test)).accuracy)).toFixed(1)} % of ${source}`,
  );
});
