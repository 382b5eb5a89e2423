import { noGrad, type Tensor, tidy } from '@firelight/tensor';
import type { Module } from './module/module.ts';
import { whileTracing } from './tracing.ts';

/** One call of a module; the outermost has the name ''. */
export interface TracedCall {
  readonly name: string;
  readonly module: Module;
  readonly input: Tensor;
  readonly output: Tensor;
}

/**
 * Runs a network and tells of every call of it and of modules inside it, inner ones first. A module with
 * several names is told of under its first. The tensors are released afterwards.
 */
export function traceForward(network: Module, x: Tensor, visit: (call: TracedCall) => void): void {
  const modules = network.namedModules();
  tidy(() =>
    noGrad(() =>
      whileTracing(() => {
        for (const [name, module] of modules) {
          const forward = module.forward.bind(module);
          // Shadows the method of the class until it is deleted again.
          module.forward = (input, ...rest: []) => {
            const output = forward(input, ...rest);
            visit({ name, module, input, output });
            return output;
          };
        }
        try {
          network.forward(x);
        } finally {
          for (const [, module] of modules) Reflect.deleteProperty(module, 'forward');
        }
      }),
    ),
  );
}

/** Something in a network that holds NaN or an infinity. */
export interface NonFinite {
  readonly what: 'parameter' | 'the output of';
  readonly name: string;
}

export function hasOnlyFinite({ array }: Tensor): boolean {
  return array.data.every(Number.isFinite);
}

/** The first parameter, or else the first layer's output, that is not finite; null if all are. */
export function firstNonFinite(network: Module, x: Tensor): NonFinite | null {
  const parameter = network.namedParameters().find(([, tensor]) => !hasOnlyFinite(tensor));
  if (parameter !== undefined) return { what: 'parameter', name: parameter[0] };
  let found: NonFinite | null = null;
  traceForward(network, x, ({ name, output }) => {
    if (found === null && !hasOnlyFinite(output)) found = { what: 'the output of', name };
  });
  return found;
}
