// A training loop by hand: two intertwined spirals, told apart by a small network.
import { Adam, Linear, ReLU, Sequential, SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import { argmax, cast, equal, Generator, mean, noGrad, tensor, tidy } from '@firelight/tensor';

const generator = new Generator(1);
const POINTS = 400;
const points: number[][] = [];
const classes: number[] = [];
for (let i = 0; i < POINTS; i++) {
  const arm = i % 2;
  const radius = 0.1 + (0.9 * i) / POINTS;
  const angle = 6 * radius + Math.PI * arm;
  const [dx, dy] = generator.uniform(2).map((value) => 0.02 * (value - 0.5));
  points.push([radius * Math.cos(angle) + dx, radius * Math.sin(angle) + dy]);
  classes.push(arm);
}
const x = tensor(points);
const label = tensor(classes, { dtype: 'int32' });

const network = new Sequential([
  new Linear({ inFeatures: 2, outFeatures: 32, generator }),
  new ReLU(),
  new Linear({ inFeatures: 32, outFeatures: 32, generator }),
  new ReLU(),
  new Linear({ inFeatures: 32, outFeatures: 2, generator }),
]);
const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
const optimizer = new Adam(network.parameters(), { learningRate: 0.01 });

for (let step = 0; step <= 500; step++) {
  // tidy gives back the memory of all that the step made.
  const loss = tidy(() => {
    optimizer.zeroGrad();
    const loss = lossFn.forward(network.forward(x), label);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
  if (step % 100 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
}

const predicted = noGrad(() => argmax(network.forward(x), 1));
const right = mean(cast(equal(predicted, label), 'float32')).item();
console.log(`right: ${(100 * right).toFixed(1)} %`);
