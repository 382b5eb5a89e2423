// Your own layer: group normalization, https://arxiv.org/abs/1803.08494.
import { Conv2d, Module, Sequential } from '@firelight/nn';
import * as fl from '@firelight/tensor';

class GroupNorm extends Module {
  readonly groups: number;
  readonly gamma: fl.Tensor;
  readonly beta: fl.Tensor;

  constructor(groups: number, channels: number) {
    super();
    const shape = [1, channels, 1, 1];
    this.groups = groups;
    this.gamma = this.registerParameter('gamma', fl.ones(shape, { requiresGrad: true }));
    this.beta = this.registerParameter('beta', fl.zeros(shape, { requiresGrad: true }));
  }

  /** `[N, C, H, W]` → the same: each group of channels of each image gets mean 0 and variance 1. */
  forward(x: fl.Tensor): fl.Tensor {
    const grouped = fl.reshape(x, [x.shape[0], this.groups, -1]);
    const centred = fl.sub(grouped, fl.mean(grouped, 2, { keepDims: true }));
    const variance = fl.mean(fl.mul(centred, centred), 2, { keepDims: true });
    const normal = fl.reshape(fl.div(centred, fl.sqrt(fl.add(variance, 1e-5))), x.shape);
    return fl.add(fl.mul(normal, this.gamma), this.beta);
  }
}

const generator = new fl.Generator(0);
const network = new Sequential([
  new Conv2d({ inChannels: 3, outChannels: 8, kernelSize: 3, generator }),
  ['norm', new GroupNorm(2, 8)],
]);
const y = network.forward(fl.randn([4, 3, 8, 8], { generator }));
const variance = fl.mean(fl.mul(y, y));
console.log(y.shape, 'mean', fl.mean(y).item().toFixed(4), 'variance', variance.item().toFixed(4));

variance.backward();
for (const [name, parameter] of network.namedParameters()) {
  console.log(name, parameter.shape, 'gradient', parameter.grad?.shape);
}
