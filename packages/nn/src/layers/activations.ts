import {
  celu,
  elu,
  gelu,
  hardShrink,
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
  softShrink,
  softsign,
  type Tensor,
  tanh,
} from '@firelight/tensor';
import {
  asTensor,
  expectFinite,
  expectInteger,
  expectThat,
  readOptions,
} from '@firelight/tensor/extend';
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

/** A copy of options that are finite numbers. */
function readNumbers<Options extends object>(
  layer: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): Options {
  const numbers = { ...readOptions(layer, options, known) };
  for (const name of known) {
    if (numbers[name] !== undefined) expectFinite(layer, name, numbers[name]);
  }
  return numbers;
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
  /** @param options `negativeSlope`: 0.01 by default, finite */
  constructor(options: { negativeSlope?: number } = {}) {
    const slope = readNumbers('LeakyReLU', options, ['negativeSlope']);
    super((x) => leakyRelu(x, slope));
  }
}

/** y = x above 0, alpha · (e^x − 1) below; see `elu`. */
export class ELU extends Activation {
  /** @param options `alpha`: 1 by default, finite */
  constructor(options: { alpha?: number } = {}) {
    const factor = readNumbers('ELU', options, ['alpha']);
    super((x) => elu(x, factor));
  }
}

/** y = x above 0, alpha · (e^(x / alpha) − 1) below; see `celu`. */
export class CELU extends Activation {
  /** @param options `alpha`: 1 by default, finite and not 0 */
  constructor(options: { alpha?: number } = {}) {
    const factor = readNumbers('CELU', options, ['alpha']);
    const rule = 'a finite number other than 0';
    expectThat(factor.alpha !== 0, 'CELU', 'alpha', rule, factor.alpha);
    super((x) => celu(x, factor));
  }
}

/** y = scale · x above 0, scale · alpha · (e^x − 1) below; see `selu`. */
export class SELU extends Activation {
  /** @param options `scale` and `alpha`: as published by default, finite */
  constructor(options: { scale?: number; alpha?: number } = {}) {
    const factors = readNumbers('SELU', options, ['scale', 'alpha']);
    super((x) => selu(x, factors));
  }
}

/** y = x · Φ(x), or its approximation with tanh; see `gelu`. */
export class GELU extends Activation {
  /** @param options `approximate`: `'none'` by default, or `'tanh'` */
  constructor(options: { approximate?: 'none' | 'tanh' } = {}) {
    const { approximate = 'none' } = readOptions('GELU', options, ['approximate']);
    const isKnown = approximate === 'none' || approximate === 'tanh';
    expectThat(isKnown, 'GELU', 'approximate', "'none' or 'tanh'", approximate);
    super((x) => gelu(x, { approximate }));
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

/** y = clip(alpha · x + beta, 0, 1); see `hardSigmoid`. */
export class HardSigmoid extends Activation {
  /** @param options `alpha`: 1/6, and `beta`: ½ by default, finite */
  constructor(options: { alpha?: number; beta?: number } = {}) {
    const line = readNumbers('HardSigmoid', options, ['alpha', 'beta']);
    super((x) => hardSigmoid(x, line));
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

/** y = x / (1 + |x|); see `softsign`. */
export class Softsign extends Activation {
  constructor() {
    super(softsign);
  }
}

/** y = x where |x| > lambda, else 0; see `hardShrink`. */
export class HardShrink extends Activation {
  /** @param options `lambda`: ½ by default, finite */
  constructor(options: { lambda?: number } = {}) {
    const threshold = readNumbers('HardShrink', options, ['lambda']);
    super((x) => hardShrink(x, threshold));
  }
}

/** y = x brought towards 0 by lambda; see `softShrink`. */
export class SoftShrink extends Activation {
  /** @param options `lambda`: ½ by default, finite */
  constructor(options: { lambda?: number } = {}) {
    const threshold = readNumbers('SoftShrink', options, ['lambda']);
    super((x) => softShrink(x, threshold));
  }
}

/** y = e^x / Σ e^x along an axis, the last by default; see `softmax`. */
export class Softmax extends Activation {
  constructor(options: { axis?: number } = {}) {
    const { axis = -1 } = readOptions('Softmax', options, ['axis']);
    expectInteger('Softmax', 'axis', axis);
    super((x) => softmax(x, axis));
  }
}

/** y = x − ln Σ e^x along an axis, the last by default; see `logSoftmax`. */
export class LogSoftmax extends Activation {
  constructor(options: { axis?: number } = {}) {
    const { axis = -1 } = readOptions('LogSoftmax', options, ['axis']);
    expectInteger('LogSoftmax', 'axis', axis);
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
