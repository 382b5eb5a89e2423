import {
  ELU,
  GELU,
  LeakyReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from '../../layers/activations.ts';
import { ReLU } from '../../layers/relu.ts';
import type { Module } from '../../module/module.ts';
import type { Config } from './config.ts';
import type { Flow } from './flow.ts';

/** Functions of Keras, by the names that an `activation` has; `linear` is none. */
const ACTIVATIONS: ReadonlyMap<unknown, () => Module> = new Map<unknown, () => Module>([
  ['relu', () => new ReLU()],
  ['relu6', () => new ReLU6()],
  ['sigmoid', () => new Sigmoid()],
  ['tanh', () => new Tanh()],
  ['elu', () => new ELU()],
  ['selu', () => new SELU()],
  ['gelu', () => new GELU()],
  ['softplus', () => new Softplus()],
  ['swish', () => new SiLU()],
  ['silu', () => new SiLU()],
  // Channels come last there and second here.
  ['softmax', () => new Softmax({ axis: 1 })],
]);

/** The function behind a layer, or null if it has none. */
function activationOf(config: Config): Module | null {
  const value = config.value('activation');
  if (value === null || value === 'linear') return null;
  return ACTIVATIONS.get(value)?.() ?? config.refuse('activation');
}

/** Modules with the layer's function behind them, if it has one. */
export function withActivation(config: Config, modules: readonly Module[]): readonly Module[] {
  const activation = activationOf(config);
  return activation === null ? modules : [...modules, activation];
}

/** Layers that are a function alone. */
export function activationLayer(config: Config, flow: Flow): Module {
  switch (config.layer.className) {
    case 'ReLU': {
      config.expect('negative_slope', 0);
      config.expect('threshold', 0);
      config.expect('max_value', 6);
      return config.value('max_value') === null ? new ReLU() : new ReLU6();
    }
    case 'LeakyReLU':
      return new LeakyReLU({ negativeSlope: config.number('alpha', 0.3) });
    case 'ELU':
      return new ELU({ alpha: config.number('alpha', 1) });
    default:
      config.expect('axis', -1, flow.kind === 'images' ? 3 : 1);
      return new Softmax({ axis: 1 });
  }
}
