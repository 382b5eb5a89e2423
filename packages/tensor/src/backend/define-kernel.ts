import { expectBoolean, readOptions } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { BackendError } from '../core/errors.ts';
import type { AnyBackend } from './backend.ts';
import { dispatchOwn } from './dispatch.ts';
import { backendNames, chainInUse } from './registry.ts';

/** The same computation by the names of the backends that have it; `reference` defines it. */
export interface KernelVersions<Kernel> {
  readonly reference: Kernel;
  readonly [backend: string]: Kernel;
}

/**
 * Makes a kernel of your own: a function on arrays, for `forward` and `backward` of an operation, with
 * a version for each backend that is to compute it. A call goes to the first backend that has a version,
 * from the one in use along its fallbacks. The versions beside `reference` get float32 arrays with at
 * least one element; all other calls go on to `reference`, which takes every dtype that the operation
 * allows, and which `gradCheck` runs in float64.
 *
 * @param versions plain loops for `reference`, and for `wasm` what `@firelight/tensor/extend/wasm` builds
 * @param options `indexed`: the versions beside `reference` take int32 arrays too, such as positions;
 *   false by default
 * @throws ValueError for other options; BackendError if there is no version for `reference`; when called, if a backend is not known
 */
export function defineKernel<Arguments extends readonly unknown[], Result>(
  versions: KernelVersions<(...values: Arguments) => Result>,
  options: { readonly indexed?: boolean } = {},
): (...values: Arguments) => Result {
  const { indexed = false } = readOptions('defineKernel', options, ['indexed']);
  expectBoolean('defineKernel', 'indexed', indexed);
  if (typeof versions.reference !== 'function') {
    throw new BackendError(
      "defineKernel: there must be a version for 'reference', the definition of the kernel, got " +
        describeValue(versions.reference),
    );
  }
  let chain: readonly AnyBackend[] = [];
  let kernel = versions.reference;
  return (...values) => {
    if (chain !== chainInUse()) {
      expectKnown(Object.keys(versions));
      chain = chainInUse();
      // Dispatching looks at the arguments alone, and passes them and the result on.
      kernel = dispatchOwn(chain, versions as never, indexed) as typeof kernel;
    }
    return kernel(...values);
  };
}

/** A version for no backend would be left out without a word. */
function expectKnown(names: readonly string[]): void {
  const known = backendNames();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const list = known.map((name) => `'${name}'`).join(', ');
  throw new BackendError(
    `defineKernel: there is no backend '${unknown}'; the versions are for ${list}, or for one of ` +
      'your own after registerBackend',
  );
}
