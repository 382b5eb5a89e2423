import type { AnyBackend } from './backend.ts';
import type { Kernels } from './contract.ts';
import { type Declined, type DeclinedCalls, NOT_FLOAT32 } from './declined.ts';
import { dispatch, type OwnKernels } from './dispatch.ts';
import { chainInUse, replacedKernels } from './registry.ts';

/** Some kernels of the contract, as those ops need them that call one of them. */
export interface KernelFamily<Part extends Partial<Kernels> = Partial<Kernels>> {
  /** The kernels that ops call now, each on the first backend that takes the call. */
  (): Part;
  readonly names: readonly (keyof Kernels)[];
  readonly own: OwnKernels;
}

/** Kernels of a family on the library's own backends; `gpu` has its own with its code. */
interface FamilyDefinition<Part extends Partial<Kernels>> {
  readonly reference: Part;
  readonly wasm: Part;
  /** What the kernels on `wasm` decline besides dtypes. */
  readonly declined?: DeclinedCalls;
  /** What those decline of dtypes that take others than float32 alone. */
  readonly dtypes?: { readonly [Name in keyof Part]?: Declined<never> };
}

function declinedOf<Part extends Partial<Kernels>>({
  wasm,
  declined = {},
  dtypes = {},
}: FamilyDefinition<Part>): DeclinedCalls {
  const entries = (Object.keys(wasm) as (keyof Kernels & keyof Part)[]).map(
    (name) => [name, [dtypes[name] ?? NOT_FLOAT32, ...(declined[name] ?? [])]] as const,
  );
  return Object.fromEntries(entries);
}

/** Joins the versions of some kernels. Bundlers leave out a family of which no op calls any. */
export function defineFamily<Part extends Partial<Kernels>>(
  definition: FamilyDefinition<Part>,
): KernelFamily<Part> {
  const { reference, wasm } = definition;
  const own: OwnKernels = {
    reference: { kernels: reference },
    wasm: { kernels: wasm, declined: declinedOf(definition) },
  };
  const names = Object.keys(reference) as (keyof Kernels)[];
  let chain: readonly AnyBackend[] = [];
  let inUse: Part = reference;
  const family = (): Part => {
    const replaced = replacedKernels();
    if (replaced !== null) return replaced as Kernels & Part;
    if (chain !== chainInUse()) {
      chain = chainInUse();
      inUse = dispatch(chain, names, own) as Part; // Names and signatures do not change.
    }
    return inUse;
  };
  return Object.assign(family, { names, own });
}
