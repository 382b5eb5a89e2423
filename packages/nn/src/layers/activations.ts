import {
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSoftmax,
  mish,
  prelu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  type Tensor,
  tanh,
} from '@firelight/tensor';
import { asTensor, expectFinite, expectInteger, readOptions } from '@firelight/tensor/extend';
import { constant, initialize } from '../initializers/index.ts';
import { Module } from '../module/module.ts';

/** y = f(x) as a layer without parameters. */
abstract class Activation extends Module {
  readonly #f: (x: Tensor) => Tensor;

  constructor(f: (x: Tensor) => Tensor) {
    super();
    this.#f = f;
  }

  /** Any shape → the same shape */
  forward(x: Tensor): Tensor {
    return this.#f(x);
  }
}

/** y = x. */
export class Identity extends Activation {
  constructor() {
    super((x) => asTensor('Identity', 'x', x));
  }
}

/** y = min(max(0, x), 6); see `relu6`. */
export class ReLU6 extends Activation {
  constructor() {
    super(relu6);
  }
}

/** y = x above 0, negativeSlope · x below; see `leakyRelu`. */
export class LeakyReLU extends Activation {
  constructor(options: { negativeSlope?: number } = {}) {
    super((x) => leakyRelu(x, options));
  }
}

/** y = x above 0, alpha · (e^x − 1) below; see `elu`. */
export class ELU extends Activation {
  constructor(options: { alpha?: number } = {}) {
    super((x) => elu(x, options));
  }
}

/** See `selu`. */
export class SELU extends Activation {
  constructor() {
    super(selu);
  }
}

/** y = x · Φ(x), or its approximation with tanh; see `gelu`. */
export class GELU extends Activation {
  constructor(options: { approximate?: 'none' | 'tanh' } = {}) {
    super((x) => gelu(x, options));
  }
}

/** y = x · sigmoid(x); see `silu`. */
export class SiLU extends Activation {
  constructor() {
    super(silu);
  }
}

/** y = x · tanh(softplus(x)); see `mish`. */
export class Mish extends Activation {
  constructor() {
    super(mish);
  }
}

/** y = 1 / (1 + e^−x); see `sigmoid`. */
export class Sigmoid extends Activation {
  constructor() {
    super(sigmoid);
  }
}

/** y = clip(x / 6 + ½, 0, 1); see `hardSigmoid`. */
export class HardSigmoid extends Activation {
  constructor() {
    super((x) => hardSigmoid(x));
  }
}

/** y = x · clip(x + 3, 0, 6) / 6; see `hardSwish`. */
export class HardSwish extends Activation {
  constructor() {
    super(hardSwish);
  }
}

/** y = tanh x. */
export class Tanh extends Activation {
  constructor() {
    super(tanh);
  }
}

/** y = ln(1 + e^x); see `softplus`. */
export class Softplus extends Activation {
  constructor() {
    super(softplus);
  }
}

/** y = e^x / Σ e^x along an axis, the last by default; see `softmax`. */
export class Softmax extends Activation {
  constructor(options: { axis?: number } = {}) {
    const { axis = -1 } = readOptions('Softmax', options, ['axis']);
    super((x) => softmax(x, axis));
  }
}

/** y = x − ln Σ e^x along an axis, the last by default; see `logSoftmax`. */
export class LogSoftmax extends Activation {
  constructor(options: { axis?: number } = {}) {
    const { axis = -1 } = readOptions('LogSoftmax', options, ['axis']);
    super((x) => logSoftmax(x, axis));
  }
}

/** y = x above 0, weight · x below, with the parameter `weight` `[numParameters]`; see `prelu`. */
export class PReLU extends Module {
  readonly weight: Tensor;

  /**
   * @param options `numParameters`: 1 (default) or the channels; `init`: 0.25 by default
   * @throws ValueError unless `numParameters` is an integer ≥ 1
   */
  constructor(options: { numParameters?: number; init?: number } = {}) {
    super();
    const { numParameters = 1, init = 0.25 } = readOptions('PReLU', options, [
      'numParameters',
      'init',
    ]);
    expectInteger('PReLU', 'numParameters', numParameters, 1);
    expectFinite('PReLU', 'init', init);
    const first = initialize(constant(init), [numParameters]);
    this.weight = this.registerParameter('weight', first, { decay: false });
  }

  /** `[N, C, ...]` → `[N, C, ...]` */
  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}
