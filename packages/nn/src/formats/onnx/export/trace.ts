import { type DType, noGrad, type Tensor, tidy } from '@firelight/tensor';
import { type NdArray, type OpCall, watchOps } from '@firelight/tensor/extend';
import type { Module } from '../../../module/module.ts';
import type { BuiltTensor } from './graph-builder.ts';

/** Where an operand comes from. */
export type Origin =
  | { readonly kind: 'input' }
  /** A parameter or buffer. */
  | { readonly kind: 'state'; readonly name: string }
  /** What the call of this number gave. */
  | { readonly kind: 'call'; readonly index: number }
  /** Anything else, which is always the same. */
  | { readonly kind: 'constant'; readonly tensor: BuiltTensor };

/** One operation of a network. */
interface TracedCall {
  readonly op: string;
  readonly attributes: unknown;
  readonly inputs: readonly (Origin | null)[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The name of the module that computes it; empty for the network itself. */
  readonly path: string;
}

/** What a network computes. */
export interface Trace {
  readonly calls: readonly TracedCall[];
  readonly output: Origin;
}

/**
 * Runs a network and notes all operations. Each module computes its own part, so that what some would
 * compute at once, such as a convolution with the ReLU behind it, is two calls.
 */
export function trace(network: Module, x: Tensor): Trace {
  const origins = new Map<NdArray, Origin>([[x.array, { kind: 'input' }]]);
  const state = [...network.namedParameters(), ...network.namedBuffers()];
  for (const [name, { array }] of state) origins.set(array, { kind: 'state', name });
  const originOf = ({ array }: Pick<Tensor, 'array'>): Origin => {
    const known = origins.get(array);
    if (known !== undefined) return known;
    // A copy of the elements: the array may be released when the run ends.
    const { dtype, shape, data } = array;
    const constant: Origin = { kind: 'constant', tensor: { dtype, shape, data: data.slice() } };
    origins.set(array, constant);
    return constant;
  };
  const calls: TracedCall[] = [];
  const path: string[] = [];
  const listener = ({ op, inputs, attributes, output }: OpCall): void => {
    // Running statistics are no operands, since nothing is differentiated by them.
    const statistics = op === 'batchNorm2d' ? statisticsIn(attributes) : [];
    calls.push({
      op,
      attributes,
      inputs: [...inputs, ...statistics].map((input) => input && originOf(input)),
      shape: output.shape,
      dtype: output.dtype,
      path: path.at(-1) ?? '',
    });
    origins.set(output.array, { kind: 'call', index: calls.length - 1 });
  };
  const unwatch = watchPath(network, path);
  try {
    const output = watchOps(listener, () => tidy(() => noGrad(() => originOf(network.forward(x)))));
    return { calls, output };
  } finally {
    unwatch();
  }
}

function statisticsIn(attributes: unknown): Pick<Tensor, 'array'>[] {
  const { statistics } = attributes as { statistics: { mean: NdArray; variance: NdArray } };
  return [{ array: statistics.mean }, { array: statistics.variance }];
}

/**
 * Keeps the name of the module that is being called at the end of `path`, until the function that is
 * returned is called.
 */
function watchPath(network: Module, path: string[]): () => void {
  const unwatch = network.namedModules().map(([name, module]) => {
    const replaced = Object.getOwnPropertyDescriptor(module, 'forward');
    const { forward } = module;
    const value = (...operands: Parameters<typeof forward>): Tensor => {
      path.push(name);
      try {
        return forward.apply(module, operands);
      } finally {
        path.pop();
      }
    };
    Object.defineProperty(module, 'forward', { value, configurable: true, writable: true });
    return () => {
      if (replaced === undefined) Reflect.deleteProperty(module, 'forward');
      else Object.defineProperty(module, 'forward', replaced);
    };
  });
  return () => {
    for (const restore of unwatch.reverse()) restore();
  };
}
